"""Time for the weight map of equation 2.

It is compared with the textbook recipe, which computes one distance transform for each object, and
with a single distance transform of the image by scipy. Every implementation needs at least that
one. The images are real where the data folder has them, and synthetic otherwise. All run on one
thread.
"""

from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tifffile
from scipy import ndimage

from benchmarks.measuring import Line, Mark, alternate, milliseconds, over, threads
from unet_exp.targets.separation import separate
from unet_exp.weight_maps.border import border_weight_map

#: The textbook recipe runs on all objects up to this number. With more, it runs on a sample, and
#: its time is extrapolated.
WHOLE = 200
SAMPLE = 10


def textbook(labels: np.ndarray, w0: float = 10.0, sigma: float = 5.0) -> np.ndarray:
    """The second term of equation 2: one transform of the whole image for each object."""
    objects = np.unique(labels[labels > 0])
    distances = np.stack([np.asarray(ndimage.distance_transform_edt(labels != i)) for i in objects])
    d1, d2 = np.sort(distances, axis=0)[:2]
    return w0 * np.exp(-((d1 + d2) ** 2) / (2 * sigma**2)) * (labels == 0)


def made_up(side: int, objects: int, seed: int = 0) -> np.ndarray:
    """Round cells on a jittered grid, some of which touch."""
    random = np.random.default_rng(seed)
    per_row = int(np.ceil(np.sqrt(objects)))
    pitch = side / per_row
    y, x = np.mgrid[:side, :side]
    labels = np.zeros((side, side), np.int32)
    for i in range(objects):
        centre = (np.array(divmod(i, per_row)) + 0.5) * pitch + random.normal(0, pitch / 15, 2)
        radii = pitch * random.uniform(0.3, 0.55, 2)
        top, left = np.maximum(centre - pitch, 0).astype(int)
        window = np.s_[top : top + int(2 * pitch) + 1, left : left + int(2 * pitch) + 1]
        inside = ((y[window] - centre[0]) / radii[0]) ** 2 + (
            (x[window] - centre[1]) / radii[1]
        ) ** 2 < 1
        labels[window][inside & (labels[window] == 0)] = i + 1
    return labels


def inputs(data: Path, quick: bool) -> Iterator[tuple[str, np.ndarray]]:
    if quick:
        yield "synthetic, 128 x 128", made_up(128, 9)
        return
    slices = data / "isbi_em" / "train-labels.tif"
    if slices.exists():
        inside = tifffile.imread(slices, key=0) == 255
        labels = np.zeros(inside.shape, np.int32)
        ndimage.label(inside, output=labels)
        yield "ISBI EM slice 0", labels
    else:
        yield "synthetic, like ISBI EM", made_up(512, 136)
    frame = data / "DIC-C2DH-HeLa" / "01_ST" / "SEG" / "man_seg040.tif"
    if frame.exists():
        yield "HeLa 01/040", tifffile.imread(frame).astype(np.int32)
    else:
        yield "synthetic, 512 x 512", made_up(512, 14)
    for side, objects in ((2048, 200), (2048, 2000)):
        yield f"synthetic, {side} x {side}", made_up(side, objects)


def lines(arguments: Namespace) -> Iterator[Line]:
    threads(1)
    for name, labels in inputs(arguments.data, arguments.quick):
        every = np.unique(labels[labels > 0])
        count = len(every)
        exact = count <= WHOLE and labels.size <= 512 * 512
        part, share = labels, 1.0
        if exact:
            term = border_weight_map(separate(labels), class_balance=False) - (labels >= 0)
            np.testing.assert_allclose(term, textbook(separate(labels)), atol=1e-4)
        else:
            some = np.random.default_rng(0).choice(every, min(SAMPLE, count), replace=False)
            part, share = np.where(np.isin(labels, some), labels, 0), count / len(some)
        times = alternate(
            {
                "ours": lambda labels=labels: border_weight_map(separate(labels)),
                "recipe": lambda part=part: textbook(part),
                "floor": lambda labels=labels: ndimage.distance_transform_edt(labels == 0),
            },
            arguments.rounds,
        )
        case, ours = f"{name}, {count} objects", milliseconds(times["ours"])
        recipe = [share * seconds for seconds in times["recipe"]]
        estimated = "" if exact else f" (extrapolated from {SAMPLE} objects)"
        goal = Mark(at_least=40) if "ISBI" in name else None
        yield Line(
            case, ours, f"textbook recipe{estimated} / ours", over(recipe, times["ours"]), goal
        )
        floor = over(times["ours"], times["floor"])
        yield Line(case, ours, "ours / one distance transform", floor, Mark(at_most=1.5))
