"""Equation 2 against the textbook recipe, and against one scipy distance transform (the floor).

python -m benchmarks.weight_map [--rounds N] [--data FOLDER] [--quick]

Real images are used where the folder has them, made-up ones of the same kind otherwise. All run
on one thread. Ratios are the claim: they are taken within a round, so that a busy machine slows
both sides alike.
"""

import argparse
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import tifffile
from scipy import ndimage

from unet_exp.weight_maps.border import border_weight_map
from unet_exp.weight_maps.separation import separate

#: The recipe is run whole up to this many objects, else on a sample of them and scaled up.
WHOLE = 200
SAMPLE = 10


def textbook(labels: np.ndarray, w0: float = 10.0, sigma: float = 5.0) -> np.ndarray:
    """The second term of equation 2: one transform of the whole image for each object."""
    objects = np.unique(labels[labels > 0])
    distances = np.stack([ndimage.distance_transform_edt(labels != i) for i in objects])
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
        yield "made up, 128 x 128", made_up(128, 9)
        return
    slices = data / "isbi_em" / "train-labels.tif"
    if slices.exists():
        inside = tifffile.imread(slices, key=0) == 255
        labels = np.zeros(inside.shape, np.int32)
        ndimage.label(inside, output=labels)
        yield "ISBI EM slice 0", labels
    else:
        yield "made up, 512 x 512, dense", made_up(512, 136)
    frame = data / "DIC-C2DH-HeLa" / "01_ST" / "SEG" / "man_seg040.tif"
    if frame.exists():
        yield "DIC-C2DH-HeLa 01/040, silver", tifffile.imread(frame).astype(np.int32)
    else:
        yield "made up, 512 x 512, 14 cells", made_up(512, 14)
    for side, objects in ((1024, 500), (2048, 200), (2048, 2000)):
        yield f"made up, {side} x {side}", made_up(side, objects)


def seconds(function: Callable[[np.ndarray], object], labels: np.ndarray) -> float:
    start = time.perf_counter()
    function(labels)
    return time.perf_counter() - start


def recipe_seconds(labels: np.ndarray, count: int) -> float:
    if count <= WHOLE and labels.size <= 512 * 512:
        return seconds(textbook, labels)
    some = np.random.default_rng(0).choice(np.unique(labels[labels > 0]), min(SAMPLE, count))
    return seconds(textbook, np.where(np.isin(labels, some), labels, 0)) / len(some) * count


def spread(values: list[float]) -> str:
    low, middle, high = np.percentile(values, [0, 50, 100])
    return f"{middle:8.2f} ({low:.2f} to {high:.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("UNET_EXP_DATA", "data")))
    parser.add_argument("--quick", action="store_true", help="one small image, to see that it runs")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    print(f"{'labels':30}{'objects':>8}  {'ms':>26}  {'recipe / ours':>26}  {'ours / floor':>26}")
    for name, labels in inputs(arguments.data, arguments.quick):
        count = len(np.unique(labels[labels > 0]))
        exact = count <= WHOLE and labels.size <= 512 * 512
        if exact:
            term = border_weight_map(labels, class_balance=False) - (labels >= 0)
            np.testing.assert_allclose(term, textbook(separate(labels)), atol=1e-4)
        ours, recipe, floor = [], [], []
        for _ in range(arguments.rounds):
            ours.append(seconds(border_weight_map, labels))
            floor.append(seconds(ndimage.distance_transform_edt, labels == 0))
            recipe.append(recipe_seconds(labels, count))
        columns = (
            spread([1000 * t for t in ours]),
            ("" if exact else "~") + spread([r / t for r, t in zip(recipe, ours, strict=True)]),
            spread([t / f for t, f in zip(ours, floor, strict=True)]),
        )
        print(f"{name:30}{count:8}  " + "  ".join(f"{column:>26}" for column in columns))
    print(f"~ scaled up from {SAMPLE} of the objects")


if __name__ == "__main__":
    main()
