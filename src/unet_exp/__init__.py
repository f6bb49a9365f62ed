"""Experiments with the U-Net of Ronneberger, Fischer and Brox (arXiv:1505.04597).

``load``, ``train`` and ``evaluate`` are the commands as functions. They are imported when they are
used, so that ``import unet_exp`` takes no time.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unet_exp.api.evaluate import evaluate
    from unet_exp.api.run import Run
    from unet_exp.api.segmenter import Segmenter, load
    from unet_exp.api.train import train

__all__ = ["Run", "Segmenter", "evaluate", "load", "train"]

#: The module of each public name.
_MODULES = {
    "Run": "unet_exp.api.run",
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
