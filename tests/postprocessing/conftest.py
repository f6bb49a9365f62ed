"""Masks and labels drawn as text; probabilities from a foreground."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor


@pytest.fixture
def draw() -> Callable[[str], np.ndarray]:
    """One character a pixel: '.' is 0, digits and letters are numbers from 1."""

    def drawn(text: str) -> np.ndarray:
        rows = [[0 if c == "." else int(c, 36) for c in row] for row in text.split()]
        return np.array(rows, np.int32)

    return drawn


@pytest.fixture
def stacked() -> Callable[..., Tensor]:
    """Two-class probabilities; digits of a drawing are tenths of the foreground's."""

    def stack(foreground: np.ndarray, scale: float = 1.0) -> Tensor:
        p = torch.from_numpy(foreground.astype(np.float32) * np.float32(scale))
        return torch.stack([1 - p, p])

    return stack
