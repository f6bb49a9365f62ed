"""Run the commands in this process: arguments in, exit code and text out."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
from beartype import BeartypeConf, beartype

#: Checks calls; a whole number will do for a float, as everywhere in Python.
checked = beartype(conf=BeartypeConf(is_pep484_tower=True))

#: A run of a second: 8 tiny tiles, 4 steps, 2 validations; no pictures, and no fit at the end.
TINY = (
    "model.depth=2",
    "model.base_channels=2",
    "dataset.size=64",
    "loader.tile=48",
    "loader.batch_size=1",
    "loader.steps_per_validation=2",
    "trainer=cpu",
    "trainer.max_steps=4",
    "trainer.precision=32-true",
    "postprocessing=components",
    "postprocessing.fit=false",
    "pictures.images=0",
    "logger=none",
    "plan=none",
)
#: The same for images in files.
TINY_FILES = tuple(word for word in TINY if not word.startswith("dataset."))

#: The same for the network of windows.
TINY_WINDOWS = (
    "model=sliding_window",
    "model.maps=2",
    "model.hidden=3",
    *(word for word in TINY if not word.startswith(("model.", "loader.tile"))),
    "loader.tile=95",
    "loader.batch_size=8",
)


@dataclass
class Finished:
    code: int
    out: str
    err: str


Command = Callable[..., Finished]


def own_images(root: Path) -> None:
    """Six 16-bit images of a bright square each, in two folders."""
    for number in range(6):
        labels = np.zeros((64, 72), np.uint8)
        labels[5 + number : 40, 9:50] = 1
        image = (labels * np.int32(900) + np.arange(72) * 7).astype(np.uint16)
        for kind, array in (("images", image), ("labels", labels)):
            (root / kind).mkdir(parents=True, exist_ok=True)
            tifffile.imwrite(root / kind / f"{number}.tif", array)
