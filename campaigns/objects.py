"""An image with very many objects: found, written in each form, and scored."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from unet_exp.images.tags import Tags
from unet_exp.metrics.average_precision import AveragePrecision
from unet_exp.metrics.det import DET
from unet_exp.metrics.object_errors import ObjectErrors, sizes_by_kind
from unet_exp.metrics.seg import SEG
from unet_exp.postprocessing.components import Components
from unet_exp.prediction.outputs.choices import chosen_outputs
from unet_exp.prediction.scratch import scratch
from unet_exp.prediction.segment import Page
from unet_exp.prediction.segmented import Segmented

Task = Callable[[Path, int], int]


def objects_of() -> dict[str, Task]:
    """Return a task for each thing that is done with many objects."""
    return {
        "postprocessing": count,
        "tiff": writing("instances", "tiff"),
        "zarr": writing("instances", "zarr"),
        "table": writing("table"),
        "rois": writing("rois"),
        "geojson": writing("geojson"),
        "overlay": writing("overlay"),
        "scores": score,
    }


def writing(output: str, kind: str = "auto") -> Task:
    """Return the task that writes an output of all objects."""

    def task(here: Path, size: int) -> int:
        (one,) = chosen_outputs([output], kind)
        with found(here) as objects:
            one.write(here / f"a{one.ending(Path('a.png'))}", objects)
            return 0 if objects.largest_label == size else 1

    return task


def count(here: Path, size: int) -> int:
    """Find the objects, and measure them."""
    with found(here) as objects:
        return 0 if len(objects.measures[0].area) == size else 1


@contextmanager
def found(here: Path) -> Iterator[Segmented]:
    """Find the objects, as the prediction of an image does; large arrays lie on disk meanwhile."""
    inside = np.load(here / "foreground.npy", mmap_mode="r")
    with scratch(here) as new_array:
        labels = new_array(inside.shape, "uint32")
        largest = Components().in_blocks(Page(inside).evidence, labels)
        yield Segmented([inside[None]], [inside], [labels], [], largest, "", (), Tags())


def score(here: Path, size: int) -> int:
    """Compute each measure of objects for instances that are the labels, moved by a pixel."""
    with found(here) as objects:
        labels = torch.from_numpy(np.asarray(objects.instances[0][...]).astype(np.int32))
    moved = labels.roll(1, 0)
    sizes = sizes_by_kind(moved, labels)
    for measure in (SEG(), AveragePrecision(), ObjectErrors()):
        measure.update(instances=moved, labels=labels)
        if not math.isfinite(measure.compute()):
            return 1
    markers = DET()
    markers.update(instances=moved, markers=labels)
    return 0 if sum(map(len, sizes.values())) == size else 1
