"""Reading of images, processor time, and writing of masks, for all programs."""

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

Pairs = tuple[list[np.ndarray], list[np.ndarray]]
Predict = Callable[[np.ndarray], Any]
Trained = tuple[Predict, float]


def pairs(folder: Path) -> Pairs:
    """Return the images of ``folder/images`` and their labels, of the same names."""
    paths = sorted((folder / "images").iterdir())
    images = [tifffile.imread(path) for path in paths]
    return images, [tifffile.imread(folder / "labels" / path.name) for path in paths]


def run(train: Callable[[Pairs, Pairs, float, Path], Trained]) -> None:
    """Train for the processor time that the command line gives, and segment the validation images.

    ``train`` gets training pairs, validation pairs, seconds and a folder. It returns a function
    that segments an image, and the processor time at which the training began, after short trials
    that determine its length. The function returns numbered objects, or probabilities of the
    foreground, from which `benchmarks.peers` makes objects.
    """
    source, out, seconds = Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])
    (out / "model").mkdir(parents=True, exist_ok=True)
    predict, start = train(pairs(source), pairs(source / "validation"), seconds, out / "model")
    taken = time.process_time() - start
    for path in sorted((source / "validation" / "images").iterdir()):
        found = np.asarray(predict(tifffile.imread(path)))
        found = found.astype(np.float32 if found.dtype.kind == "f" else np.int32)
        tifffile.imwrite(out / f"{path.stem}.tif", found)
    (out / "seconds.txt").write_text(f"{taken:.0f}")


def normalised(image: np.ndarray, low: float = 1.0, high: float = 99.8) -> np.ndarray:
    """Return an image whose percentiles ``low`` and ``high`` are 0 and 1."""
    bottom, top = np.percentile(image, (low, high))
    return ((image - bottom) / max(top - bottom, 1e-6)).astype(np.float32)


def flipped(rng: np.random.Generator, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return arrays (h, w), all turned by the same quarter and mirrored alike."""
    turn, mirror = int(rng.integers(4)), bool(rng.integers(2))
    turned = [np.rot90(array, turn) for array in arrays]
    return [np.fliplr(array) if mirror else array for array in turned]
