"""Score a trained network: python evaluate.py run=outputs/runs/NAME/STAMP."""

from unet_exp.commands.evaluate import main

if __name__ == "__main__":
    main()
