"""V_rand, V_info and SEG against scikit-image and py-ctcmetrics; seconds of a warping error.

python -m benchmarks.metrics [--rounds N] [--data FOLDER] [--quick]

All run on one thread, and must agree before they are timed. Ratios are the claim: they are taken
within a round, so that a busy machine slows both sides alike. scikit-image answers for V_rand and
V_info alone; py-ctcmetrics, which answers for SEG alone, reads its images from files.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import tifffile
import torch
from ctc_metrics.metrics import seg as ctc_seg
from ctc_metrics.utils.representations import match
from skimage.metrics import adapted_rand_error, variation_of_information

from benchmarks.weight_map import made_up, spread
from unet_exp.metrics.rand_error import rand_error
from unet_exp.metrics.seg import seg
from unet_exp.metrics.v_info import v_info_split_merge
from unet_exp.metrics.v_rand import v_rand
from unet_exp.metrics.warping_error import remaining_errors

#: py-ctcmetrics makes several tables of all pairs of objects: beyond this many, gigabytes.
CTC_OBJECTS = 1500

Pair = tuple[np.ndarray, np.ndarray]


def moved(labels: np.ndarray) -> np.ndarray:
    """The prediction: every object shifted, some neighbours merged, the background kept."""
    shifted = np.roll(labels, (2, 1), (0, 1))
    return np.where(shifted % 10 == 9, shifted - 1, shifted).astype(np.int32)


def pairs(quick: bool) -> Iterator[tuple[str, Pair]]:
    sizes = ((128, 20),) if quick else ((512, 136), (1024, 1200), (2048, 5000))
    for side, objects in sizes:
        truth = made_up(side, objects)
        yield f"{side} x {side}, {len(np.unique(truth)) - 1} objects", (moved(truth), truth)


def ours(predicted: np.ndarray, truth: np.ndarray) -> tuple[float, float, float]:
    images = torch.from_numpy(predicted), torch.from_numpy(truth)
    split, _ = v_info_split_merge(*images)
    return v_rand(*images).item(), split, seg(*images).item()


def scikit_image(predicted: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    error = adapted_rand_error(truth, predicted, ignore_labels=(0,))[0]
    return error, variation_of_information(truth, predicted, ignore_labels=(0,))[0]


def py_ctcmetrics(folder: Path) -> float:
    reference, _, _, _, ious = match(str(folder / "truth.tif"), str(folder / "predicted.tif"))
    return ctc_seg([reference], [ious])


def check(predicted: np.ndarray, truth: np.ndarray, folder: Path | None) -> None:
    """Stop unless the other libraries' numbers are ours, by whatever formula joins them."""
    _, split, jaccards = ours(predicted, truth)
    error, conditional = scikit_image(predicted, truth)
    # Its pairs leave out a pixel with itself, as the Rand error's do; its background is a region.
    apart = np.where(predicted == 0, predicted.max() + 1, predicted)
    expected = rand_error(torch.from_numpy(apart), torch.from_numpy(truth)).item()
    np.testing.assert_allclose(error, expected, atol=1e-9)
    shares = np.unique(predicted[truth > 0], return_counts=True)[1] / (truth > 0).sum()
    entropy = -(shares * np.log2(shares)).sum()
    np.testing.assert_allclose(1 - conditional / entropy, split, atol=1e-9)
    if folder:
        np.testing.assert_allclose(py_ctcmetrics(folder), jaccards, atol=1e-9)


def seconds(function: Callable[..., object], *arguments: object) -> float:
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def compare(rounds: int, quick: bool) -> None:
    header = ("V_rand, V_info, SEG: ms", "scikit-image / ours", "py-ctcmetrics / SEG")
    print(f"{'labels':34}" + "".join(f"  {column:>26}" for column in header))
    for name, (predicted, truth) in pairs(quick):
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) if truth.max() <= CTC_OBJECTS else None
            if folder:
                for file, image in (("predicted", predicted), ("truth", truth)):
                    tifffile.imwrite(folder / f"{file}.tif", image.astype(np.uint16))
            check(predicted, truth, folder)
            times, skimage, ctc = [], [], []
            for _ in range(rounds):
                times.append(seconds(ours, predicted, truth))
                skimage.append(seconds(scikit_image, predicted, truth) / times[-1])
                if folder:
                    alone = seconds(seg, torch.from_numpy(predicted), torch.from_numpy(truth))
                    ctc.append(seconds(py_ctcmetrics, folder) / alone)
        columns = (
            spread([1000 * t for t in times]),
            spread(skimage),
            spread(ctc) if ctc else "too large",
        )
        print(f"{name:34}" + "".join(f"  {column:>26}" for column in columns))


def warp_time(rounds: int, data: Path, quick: bool) -> None:
    path = data / "isbi_em" / "train-labels.tif"
    if path.exists() and not quick:
        name, inside = "ISBI EM slice 0", tifffile.imread(path, key=0) == 255
    else:
        side, objects = (128, 20) if quick else (512, 136)
        name, inside = f"made up, {side} x {side}", made_up(side, objects) > 0
    noise = cv2.GaussianBlur(np.random.default_rng(0).normal(size=inside.shape), (0, 0), 2)
    blurred = cv2.GaussianBlur(inside.astype(np.float64), (0, 0), 2)
    map_ = torch.from_numpy(np.clip(blurred + 0.15 * noise / noise.std(), 0, 1)).float()
    target = torch.from_numpy(inside.astype(np.int64))
    print(f"\n{'warping error of ' + name:34}{'wrong before':>14}{'after':>9}{'ms':>28}")
    for threshold in (0.0, 0.1, 0.3, 0.5, 0.7, 0.9):
        errors = remaining_errors(map_, target, threshold)
        times = [seconds(remaining_errors, map_, target, threshold) for _ in range(rounds)]
        before = int(((map_ > threshold) != (target > 0)).sum())
        print(
            f"{f'at a threshold of {threshold}':34}{before:14}{sum(errors):9}"
            f"{spread([1000 * t for t in times]):>28}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("UNET_EXP_DATA", "data")))
    parser.add_argument("--quick", action="store_true", help="small images, to see that it runs")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    compare(arguments.rounds, arguments.quick)
    warp_time(arguments.rounds, arguments.data, arguments.quick)


if __name__ == "__main__":
    main()
