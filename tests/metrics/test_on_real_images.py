"""The measures on the challenges' own labels, against scikit-image and a slow form."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
import torch
from skimage.measure import label
from skimage.metrics import adapted_rand_error, variation_of_information

from unet_exp.metrics.regions import regions
from unet_exp.metrics.seg import seg
from unet_exp.metrics.v_info import v_info
from unet_exp.metrics.v_rand import v_rand

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
        conditional = variation_of_information(truth, predicted, ignore_labels=(0,)).sum()
        p_s, p_t = (
            np.unique(image[truth > 0], return_counts=True)[1] / (truth > 0).sum()
            for image in (predicted, truth)
        )
        entropies = -(p_s * np.log2(p_s)).sum() - (p_t * np.log2(p_t)).sum()
        assert v_info(*pair).item() == pytest.approx(1 - conditional / entropies, abs=1e-9)
    perfect = regions(torch.from_numpy(inside))
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
