"""Random label images and predictions of them, for the tests of scores."""

import cv2
import numpy as np
import torch
from hypothesis import strategies as st
from torch import Tensor

from unet_exp.metrics.border_thinning import label_foreground

KINDS = ("noise", "blocks", "shifted", "halves", "coarser", "same")


def cells(seed: int, count: int = 12, side: int = 40, gap: int = 1) -> Tensor:
    """Cells of a random mosaic, ``gap`` pixels of background around each."""
    rng = np.random.default_rng(seed)
    centres = np.ones((side, side), np.uint8)
    centres[tuple(rng.integers(0, side, (2, count)))] = 0
    _, mosaic = cv2.distanceTransformWithLabels(
        centres, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    edges = cv2.morphologyEx(mosaic.astype(np.float32), cv2.MORPH_GRADIENT, np.ones((3, 3)))
    apart = cv2.dilate((edges > 0).astype(np.uint8), np.ones((3, 3)), iterations=gap - 1)
    return torch.from_numpy(np.where((apart > 0) & (gap > 0), 0, mosaic))


def scored_image(seed: int, noise: float = 0.6) -> dict[str, Tensor]:
    """Return all arguments of an update, for a correct map with noise."""
    labels = cells(seed)
    grain = torch.rand(labels.shape, generator=torch.Generator().manual_seed(seed))
    foreground = (1 - noise) * (labels > 0) + noise * grain
    return {
        "probabilities": torch.stack([1 - foreground, foreground]),
        "classes": (labels > 0).long(),
        "labels": labels,
        "markers": labels,
        "instances": label_foreground(foreground > 0.5, thin_borders=False),
    }


@st.composite
def label_pairs(draw: st.DrawFn) -> tuple[Tensor, Tensor]:
    """A prediction and a truth, which has an object, ragged or not, amid some background.

    Other libraries take the lowest number in an image for its background.
    """
    kind = draw(st.sampled_from(KINDS))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    height, width = draw(st.tuples(st.integers(1, 6), st.integers(1, 6)))
    truth = rng.integers(0, draw(st.integers(2, 12)), (height, width))
    truth[0, 0] = 1
    size = 1 if kind == "noise" else 4
    truth = np.kron(truth, np.ones((size, size), int))
    predicted = {
        "noise": lambda: rng.integers(0, 4, truth.shape),
        "blocks": lambda: np.kron(rng.integers(0, 9, (height, width)), np.ones((4, 4), int)),
        "shifted": lambda: np.roll(truth, rng.integers(-2, 3, 2), (0, 1)),
        # Each object falls into two halves, of an IoU of exactly one half.
        "halves": lambda: np.where(truth > 0, 2 * truth + np.arange(4 * width) // 2 % 2, 0),
        "coarser": lambda: (truth + 1) // 2,
        "same": lambda: truth * 7,
    }[kind]()
    return torch.from_numpy(np.pad(predicted, 1)), torch.from_numpy(np.pad(truth, 1))
