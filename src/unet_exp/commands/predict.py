"""Segment images: ``python predict.py checkpoint=best.ckpt input=FOLDER output=DIR``."""

from omegaconf import DictConfig

from unet_exp.commands.entry import launch


def predict(cfg: DictConfig) -> None:
    """Write probabilities and instances of each image without results."""
    from unet_exp.prediction.segment_files import segment_files

    segment_files(cfg)


def main() -> None:
    """Entry point of ``predict.py`` and ``unet-predict``."""
    launch(predict, "predict")


if __name__ == "__main__":
    main()
