"""Train a network: ``python train.py dataset=hela model.depth=5``."""

from unet_exp.commands.entry import launch
from unet_exp.runs.start import start


def main() -> None:
    """Entry point of ``train.py`` and ``unet-train``."""
    launch(start, "train")


if __name__ == "__main__":
    main()
