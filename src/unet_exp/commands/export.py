"""Export a network: ``python export.py checkpoint=best.ckpt format=onnx output=model.onnx``."""

from omegaconf import DictConfig

from unet_exp.commands.entry import launch


def export(cfg: DictConfig) -> None:
    """Write a trained network in a format of other programs."""
    from unet_exp.export.export import export

    export(cfg)


def main() -> None:
    """Entry point of ``export.py`` and ``unet-export``."""
    launch(export, "export")


if __name__ == "__main__":
    main()
