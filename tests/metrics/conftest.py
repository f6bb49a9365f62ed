"""Label images drawn as text, and random ones."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor


def drawn(text: str) -> Tensor:
    """One character a pixel: '.' is 0, '?' is -1, digits and letters are numbers from 1."""
    rows = [
        [-1 if c == "?" else 0 if c == "." else int(c, 36) for c in row] for row in text.split()
    ]
    return torch.tensor(rows)


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


@pytest.fixture
def draw() -> Callable[[str], Tensor]:
    return drawn


@pytest.fixture
def mosaic() -> Callable[..., Tensor]:
    return cells


@pytest.fixture
def stacked() -> Callable[[Tensor], Tensor]:
    """Two-class probabilities from the foreground's."""
    return lambda foreground: torch.stack([1 - foreground, foreground])


@pytest.fixture
def random_pair() -> Callable[..., tuple[Tensor, Tensor]]:
    """Probabilities of ``classes`` classes and a target with unknown pixels."""

    def pair(classes: int, seed: int = 0) -> tuple[Tensor, Tensor]:
        generator = torch.Generator().manual_seed(seed)
        probabilities = torch.rand(classes, 20, 30, generator=generator).softmax(0)
        return probabilities, torch.randint(-1, classes, (20, 30), generator=generator)

    return pair
