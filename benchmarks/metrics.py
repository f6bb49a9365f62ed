"""Time for the scores of instances (V_rand, V_info, SEG and AP) and for the warping error.

V_rand and V_info are compared with scikit-image, SEG with py-ctcmetrics, and AP with
cellseg-metrics. py-ctcmetrics reads its images from files. Before the timing, each pair of
implementations must give the same score. All run on one thread.
"""

import tempfile
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tifffile
import torch
from cellseg_metrics import panoptic_quality
from ctc_metrics.metrics import seg as ctc_seg
from ctc_metrics.utils.representations import match
from scipy import ndimage
from skimage.metrics import adapted_rand_error, variation_of_information

from benchmarks.measuring import Line, Mark, alternate, milliseconds, over, threads
from benchmarks.weight_map import made_up
from unet_exp.metrics.average_precision import average_precision
from unet_exp.metrics.contingency import contingency
from unet_exp.metrics.rand_error import rand_error
from unet_exp.metrics.seg import seg
from unet_exp.metrics.v_info import information_scores, v_info
from unet_exp.metrics.v_rand import v_rand
from unet_exp.metrics.warping_error import remaining_errors

#: The other packages for SEG and AP make tables of all pairs of objects. With more objects than
#: this, the tables would take gigabytes.
PAIRED = 1500

Pair = tuple[np.ndarray, np.ndarray]


def moved(labels: np.ndarray) -> np.ndarray:
    """The prediction: every object shifted, some neighbours merged, the background kept."""
    shifted = np.roll(labels, (2, 1), (0, 1))
    return np.where(shifted % 10 == 9, shifted - 1, shifted).astype(np.int32)


def pairs(quick: bool) -> Iterator[tuple[str, Pair]]:
    sizes = ((128, 20),) if quick else ((512, 136), (1024, 1200), (2048, 5000))
    for side, objects in sizes:
        truth = made_up(side, objects)
        yield f"{len(np.unique(truth)) - 1} objects", (moved(truth), truth)


def ours(predicted: np.ndarray, truth: np.ndarray) -> tuple[float, float, float]:
    images = torch.from_numpy(predicted), torch.from_numpy(truth)
    split = information_scores(contingency(*images)).split
    return v_rand(*images).item(), split, seg(*images).item()


def scikit_image(predicted: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    error = adapted_rand_error(truth, predicted, ignore_labels=(0,))[0]
    return error, variation_of_information(truth, predicted, ignore_labels=(0,))[0]


def py_ctcmetrics(folder: Path) -> float:
    reference, _, _, _, ious = match(str(folder / "truth.tif"), str(folder / "predicted.tif"))
    return ctc_seg([reference], [ious])


def check(predicted: np.ndarray, truth: np.ndarray, folder: Path | None) -> None:
    """Stop unless the other libraries agree with our scores, after conversion to one definition."""
    _, split, jaccards = ours(predicted, truth)
    error, conditional = scikit_image(predicted, truth)
    # scikit-image leaves out pairs of a pixel with itself, as the Rand error does. It counts the
    # background as a region.
    apart = np.where(predicted == 0, predicted.max() + 1, predicted)
    expected = rand_error(torch.from_numpy(apart), torch.from_numpy(truth)).item()
    np.testing.assert_allclose(error, expected, atol=1e-9)
    shares = np.unique(predicted[truth > 0], return_counts=True)[1] / (truth > 0).sum()
    entropy = -(shares * np.log2(shares)).sum()
    np.testing.assert_allclose(1 - conditional / entropy, split, atol=1e-9)
    if not folder:
        return
    np.testing.assert_allclose(py_ctcmetrics(folder), jaccards, atol=1e-9)
    found = average_precision(torch.from_numpy(predicted), torch.from_numpy(truth), (0.5,)).item()
    f1 = panoptic_quality(truth, predicted)["dq"]  # pairs need an IoU above 0.5, not equal to it
    np.testing.assert_allclose(found, f1 / (2 - f1), atol=1e-6)


def lines(arguments: Namespace) -> Iterator[Line]:
    threads(1)
    yield from compare(arguments.rounds, arguments.quick)
    yield from warp_time(arguments.rounds, arguments.data, arguments.quick)


def compare(rounds: int, quick: bool) -> Iterator[Line]:
    for name, (predicted, truth) in pairs(quick):
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) if truth.max() <= PAIRED else None
            if folder:
                for file, image in (("predicted", predicted), ("truth", truth)):
                    tifffile.imwrite(folder / f"{file}.tif", image.astype(np.uint16))
            check(predicted, truth, folder)
            images = torch.from_numpy(predicted), torch.from_numpy(truth)
            functions = {
                "regions": lambda images=images: (v_rand(*images), v_info(*images)),
                "scikit-image": lambda p=predicted, t=truth: scikit_image(p, t),
                "SEG": lambda images=images: seg(*images),
                "AP": lambda images=images: average_precision(*images, levels=(0.5,)),
            }
            if folder:
                functions["cellseg-metrics"] = lambda p=predicted, t=truth: panoptic_quality(t, p)
                functions["py-ctcmetrics"] = lambda folder=folder: py_ctcmetrics(folder)
            times = alternate(functions, rounds)
        for scores, mine, peer in (
            ("V_rand and V_info", "regions", "scikit-image"),
            ("SEG", "SEG", "py-ctcmetrics"),
            ("AP at an IoU of 0.5", "AP", "cellseg-metrics"),
        ):
            if peer in times:
                ratios = over(times[peer], times[mine])
                case, taken = f"{scores}, {name}", milliseconds(times[mine])
                yield Line(case, taken, f"{peer} / ours", ratios, Mark(at_least=5))


def warp_time(rounds: int, data: Path, quick: bool) -> Iterator[Line]:
    """Time for the warping error, relative to V_rand of the same image."""
    path = data / "isbi_em" / "train-labels.tif"
    if path.exists() and not quick:
        name, inside = "ISBI EM slice 0", tifffile.imread(path, key=0) == 255
    else:
        side, objects = (128, 20) if quick else (512, 136)
        name, inside = f"{side} x {side}", made_up(side, objects) > 0
    noise = cv2.GaussianBlur(np.random.default_rng(0).normal(size=inside.shape), (0, 0), 2)
    blurred = cv2.GaussianBlur(inside.astype(np.float64), (0, 0), 2)
    map_ = torch.from_numpy(np.clip(blurred + 0.15 * noise / noise.std(), 0, 1)).float()
    classes = torch.from_numpy(inside.astype(np.int64))
    label: Any = ndimage.label  # its stub allows a plain number as the result
    instances = torch.from_numpy(label(map_.numpy() > 0.5)[0])
    true = torch.from_numpy(label(inside)[0])
    times = alternate(
        {
            "ours": lambda: remaining_errors(map_, classes, 0.5),
            "v_rand": lambda: v_rand(instances, true),
        },
        rounds,
    )
    ratios = over(times["ours"], times["v_rand"])
    yield Line(f"warping error, {name}", milliseconds(times["ours"]), "ours / V_rand", ratios)
