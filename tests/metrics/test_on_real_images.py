"""The measures on labels of the challenges, compared with scikit-image and slow code."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
import torch
from skimage.measure import label
from skimage.metrics import adapted_rand_error, variation_of_information

from unet_exp.metrics.average_precision import LEVELS, average_precision
from unet_exp.metrics.border_thinning import label_foreground
from unet_exp.metrics.det import det
from unet_exp.metrics.rand_error import rand_error
from unet_exp.metrics.seg import seg
from unet_exp.metrics.v_info import v_info
from unet_exp.metrics.v_rand import v_rand
from unet_exp.metrics.warping_error import remaining_errors

panoptic_quality = pytest.importorskip("cellseg_metrics").panoptic_quality

pytestmark = pytest.mark.data


def read(*parts: str) -> np.ndarray:
    root = os.environ.get("UNET_EXP_DATA")
    if not root:
        pytest.skip("UNET_EXP_DATA does not name a folder of real images")
    path = Path(root, *parts)
    if not path.exists():
        pytest.skip(f"{path} is missing")
    return tifffile.imread(path)


@pytest.mark.parametrize("index", [0, 15, 29])
def test_isbi_slices(index: int) -> None:
    inside = read("isbi_em", "train-labels.tif")[index] > 0
    truth = label(inside, connectivity=1)
    blurred = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 3)
    for level in (0.3, 0.6, 0.9):
        predicted = label(blurred > level, connectivity=1)
        pair = torch.from_numpy(predicted), torch.from_numpy(truth)
        error = adapted_rand_error(truth, predicted, ignore_labels=(0,))[0]
        # scikit-image leaves out the pairs of a pixel with itself, some 1e-4 of all pairs.
        assert v_rand(*pair).item() == pytest.approx(1 - error, abs=2e-4)
        alone = predicted.max() + 1 + np.arange(predicted.size).reshape(predicted.shape)
        thick = adapted_rand_error(
            truth, np.where(predicted > 0, predicted, alone), ignore_labels=(0,)
        )[0]
        assert rand_error(*pair).item() == pytest.approx(thick)
        conditional = variation_of_information(truth, predicted, ignore_labels=(0,)).sum()
        p_s, p_t = (
            np.unique(image[truth > 0], return_counts=True)[1] / (truth > 0).sum()
            for image in (predicted, truth)
        )
        entropies = -(p_s * np.log2(p_s)).sum() - (p_t * np.log2(p_t)).sum()
        assert v_info(*pair).item() == pytest.approx(1 - conditional / entropies, abs=1e-9)
    perfect = label_foreground(torch.from_numpy(inside))
    assert v_rand(perfect, torch.from_numpy(truth), singletons=True).item() == 1


@pytest.mark.parametrize(("sequence", "frame"), [("01", "002"), ("02", "006"), ("02", "061")])
def test_silver_against_gold(sequence: str, frame: str) -> None:
    gold = read("DIC-C2DH-HeLa", f"{sequence}_GT", "SEG", f"man_seg{frame}.tif").astype(np.int32)
    silver = read("DIC-C2DH-HeLa", f"{sequence}_ST", "SEG", f"man_seg{frame}.tif").astype(np.int32)
    scores = []
    for r in np.unique(gold[gold > 0]):
        inside = gold == r
        candidates = np.bincount(silver[inside])
        candidates[0] = 0
        s = candidates.argmax()
        found = 2 * candidates[s] > inside.sum()
        scores.append(candidates[s] / (inside | (silver == s)).sum() if found else 0)
    assert seg(torch.from_numpy(silver), torch.from_numpy(gold)).item() == pytest.approx(
        np.mean(scores)
    )


@pytest.mark.parametrize(("sequence", "frame"), [("01", "002"), ("02", "006"), ("02", "061")])
def test_silver_against_gold_and_markers_in_other_libraries(
    sequence: str, frame: str, ctcmetrics
) -> None:
    silver, gold, markers = (
        torch.from_numpy(read("DIC-C2DH-HeLa", *parts).astype(np.int32))
        for parts in (
            (f"{sequence}_ST", "SEG", f"man_seg{frame}.tif"),
            (f"{sequence}_GT", "SEG", f"man_seg{frame}.tif"),
            (f"{sequence}_GT", "TRA", f"man_track{frame}.tif"),
        )
    )
    # Eroded, shifted and halved, the silver objects find fewer markers, or several find none.
    halved = torch.where(silver > 0, 2 * silver + (torch.arange(512) // 40 % 2), 0)
    for result in (silver, silver.roll((15, 30), (0, 1)), halved, (silver + 1) // 2):
        assert seg(result, gold).item() == pytest.approx(ctcmetrics([(result, gold)])["seg"])
        assert det(result, markers).item() == pytest.approx(ctcmetrics([(result, markers)])["det"])
        f1 = panoptic_quality(gold.numpy(), result.numpy(), 0.75 - 1e-6)["dq"]
        ap = average_precision(result, gold)[LEVELS.index(0.75)].item()
        assert ap == pytest.approx(f1 / (2 - f1), abs=1e-6)


def test_a_moved_membrane_costs_little_and_a_cut_cell_its_last_bridge() -> None:
    inside = read("isbi_em", "train-labels.tif")[0] > 0
    truth = torch.from_numpy(inside.astype(np.int64))
    assert remaining_errors(truth.float(), truth) == (0, 0, 0)
    shifted = torch.from_numpy(np.roll(inside, 1, axis=1)).float()
    wrong = (shifted != truth).sum().item()
    assert sum(remaining_errors(shifted, truth)) < wrong / 100
    cells = label(inside, connectivity=1)
    largest = cells == np.bincount(cells[inside]).argmax()
    columns = np.flatnonzero(largest.any(0))
    cut = truth.clone()
    middle = columns[len(columns) // 2]
    cut[torch.from_numpy(largest[:, middle]), middle] = 0
    errors = remaining_errors(cut.float(), truth)
    assert errors.mergers == 0
    assert 1 <= errors.splits <= (cut != truth).sum() / 10
