"""Train from Python: ``unet_exp.train(images, labels)``."""

import os
import shlex
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig

from unet_exp.api.array_folder import write_arrays
from unet_exp.api.job import as_overrides, job
from unet_exp.api.keywords import explain_keywords
from unet_exp.api.run import Run
from unet_exp.runs.start import start

#: The folder of images and labels that were given as arrays.
ARRAYS = Path("outputs") / "arrays"


@explain_keywords
def train(
    *given: Any,
    max_steps: int | None = None,
    budget: str | None = None,
    seed: int | None = None,
    name: str | None = None,
    device: str | None = None,
    folder: str | os.PathLike[str] | None = None,
    progress: bool = True,
) -> Run:
    """Train a network as ``train.py`` does, with the same record, and return the run.

    Parameters
    ----------
    given
        Images and labels; or a folder that holds ``images/`` and ``labels/``; or neither. After
        them come overrides, which are texts with an equals sign:
        ``train("dataset=hela", "model.depth=5")``.

        Images and labels are one array each, a stack of pages, or a list: images (h, w),
        (c, h, w) or (h, w, c), labels (h, w). Instances are numbered from 1, 0 is the background,
        -1 unknown. A fifth of the images is used for validation, chosen by ``dataset.fold``. The
        arrays are kept in ``outputs/arrays/``, so that the run can be repeated.
    max_steps, budget, seed, name
        ``trainer.max_steps``, ``trainer.budget``, ``seed`` and ``name`` of the command line.
    device
        ``auto`` (the GPU if there is one), ``cpu`` or ``gpu``.
    folder
        The run folder; by default a new one, ``outputs/runs/NAME/STAMP``.
    progress
        Whether to print the output of the command.

    Raises ValueError or FileNotFoundError if an override, an image or a folder is wrong. Then there
    is no run folder.

    Examples
    --------
    >>> import contextlib, tempfile
    >>> import numpy as np
    >>> import unet_exp
    >>> images = np.random.default_rng(0).integers(0, 256, (5, 64, 64), np.uint8)
    >>> labels = (images > 128).astype(np.int32)
    >>> small = ("model.depth=1", "model.base_channels=2", "logger=none", "pictures.images=0")
    >>> with tempfile.TemporaryDirectory() as here, contextlib.chdir(here):
    ...     run = unet_exp.train(images, labels, *small, max_steps=2, progress=False)
    ...     scores = unet_exp.evaluate(run, metric=["seg", "iou"], progress=False)
    ...     unet_exp.load(run).segment(images[0]).shape
    (64, 64)
    """
    data, overrides = sorted_out(given)
    images = images_folder(data) if data else None
    values = {"trainer.max_steps": max_steps, "trainer.budget": budget, "seed": seed, "name": name}
    values |= {"trainer.accelerator": device, "hydra.run.dir": folder}
    if images is not None:
        overrides = [
            "dataset=folder",
            *as_overrides({"dataset.root": images}),
            *overrides,
        ]
    with job("train", [*overrides, *as_overrides(values)], progress) as (cfg, path):
        words = HydraConfig.get().overrides.task
        score = start(cfg, shlex.join(["python", "train.py", *words]))
    return Run(path, score, images)


def sorted_out(given: tuple[Any, ...]) -> tuple[list[Any], list[str]]:
    """Separate the data in the arguments from the overrides.

    Raises ValueError if the data are neither a folder nor images with labels.

    >>> sorted_out(("~/my_images", "model.depth=5", "~weight_map"))
    (['~/my_images'], ['model.depth=5', '~weight_map'])
    """

    def is_override(one: Any) -> bool:
        return isinstance(one, str) and ("=" in one or (one[:1] == "~" and one[1:2] != "/"))

    overrides = [one for one in given if is_override(one)]
    data = [one for one in given if not is_override(one)]
    paths = [one for one in data if isinstance(one, str | os.PathLike)]
    fits = (len(data), len(paths)) in ((0, 0), (1, 1), (2, 0))
    if not fits or any(one is None for one in data):
        kinds = ", ".join(type(one).__name__ for one in data)
        raise ValueError(
            f"Training takes images and labels, or one folder that holds both, and got {kinds}. "
            "Give train(images, labels), train('my_images') or train('dataset=hela'); overrides "
            "have an equals sign."
        )
    return data, overrides


def images_folder(data: list[Any]) -> Path:
    """Return the folder of the images; arrays are written to one."""
    if len(data) == 1:
        return Path(data[0]).expanduser().absolute()
    images, labels = data
    return write_arrays(images, labels, ARRAYS).absolute()
