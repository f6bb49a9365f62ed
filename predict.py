"""Segment images: python predict.py checkpoint=best.ckpt input=FOLDER output=DIR."""

from unet_exp.commands.predict import main

if __name__ == "__main__":
    main()
