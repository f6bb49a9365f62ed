"""Experiments with the U-Net of Ronneberger, Fischer and Brox (arXiv:1505.04597).

``load``, ``train`` and ``evaluate`` are the commands as functions. ``SegmentationModule`` and
``DataModule`` are for Lightning's Trainer. They are imported on first use, so that
``import unet_exp`` takes almost no time.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unet_exp.api.evaluate import evaluate
    from unet_exp.api.run import Run
    from unet_exp.api.segmenter import Segmenter, load
    from unet_exp.api.train import train
    from unet_exp.training.datamodule import DataModule
    from unet_exp.training.module import SegmentationModule

__all__ = ["DataModule", "Run", "SegmentationModule", "Segmenter", "evaluate", "load", "train"]

#: The module of each public name.
_MODULES = {
    "DataModule": "unet_exp.training.datamodule",
    "Run": "unet_exp.api.run",
    "SegmentationModule": "unet_exp.training.module",
    "Segmenter": "unet_exp.api.segmenter",
    "evaluate": "unet_exp.api.evaluate",
    "load": "unet_exp.api.segmenter",
    "train": "unet_exp.api.train",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
