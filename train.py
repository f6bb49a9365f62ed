"""Train a network: python train.py dataset=hela model.depth=5."""

from unet_exp.commands.train import main

if __name__ == "__main__":
    main()
