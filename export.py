"""Export a network: python export.py checkpoint=best.ckpt format=onnx output=model.onnx."""

from unet_exp.commands.export import main

if __name__ == "__main__":
    main()
