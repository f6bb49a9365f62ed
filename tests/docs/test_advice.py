"""The advice of docs/how-to/objects.md: each value has the effect that it names."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from unet_exp.postprocessing.watershed import Watershed

Y, X = np.mgrid[:40, :80]
PLAIN: dict[str, Any] = {"shape": 0.0, "smoothing": 0.0}


def evidence(inside: np.ndarray) -> Tensor:
    inside = np.clip(inside, 0.01, 0.99)
    return torch.tensor(np.stack([1 - inside, inside]), dtype=torch.float32)


def disc(row: float, column: float, radius: float) -> np.ndarray:
    return np.hypot(Y - row, X - column) < radius


def objects(inside: np.ndarray, **values: Any) -> int:
    return int(Watershed(**{**PLAIN, **values})(evidence(inside)).max())


#: Two peaks of 0.95 with a pass of 0.85 between them.
PEAKS = 0.9 + 0.05 * np.cos((X - 20) / 20 * np.pi) * (np.abs(Y - 20) < 15)
PEAKS = np.where((np.abs(Y - 20) < 15) & (X > 3) & (X < 77), PEAKS, 0)
#: Two sure cells that a narrow bridge joins.
DUMBBELL = 0.95 * (
    disc(20, 22, 14) | disc(20, 58, 14) | ((np.abs(Y - 20) < 2) & (X > 20) & (X < 60))
)
#: A cell with a dent in the probability of two pixels width.
DENT = np.where(disc(20, 40, 15), np.where(np.abs(X - 40) < 1, 0.7, 0.95), 0)
#: A cell whose probability falls slowly towards its border.
SOFT = np.clip(1.0 - np.hypot(Y - 20, X - 40) / 20, 0, 1)


@pytest.mark.parametrize(
    ("image", "values", "before", "after"),
    [
        (PEAKS, {"contrast": 0.05}, 1, 2),
        (DUMBBELL, {"shape": 0.5}, 1, 2),
        (DENT, {"contrast": 0.3}, 2, 1),
        (DENT, {"smoothing": 3.0}, 2, 1),
        (0.7 * disc(20, 40, 15), {"seed_threshold": 0.6}, 0, 1),
        (0.95 * (disc(20, 20, 15) | disc(20, 60, 3)), {"min_size": 100}, 2, 1),
    ],
)
def test_the_number_of_objects(
    image: np.ndarray, values: dict[str, Any], before: int, after: int
) -> None:
    assert (objects(image), objects(image, **values)) == (before, after)


def test_a_higher_threshold_makes_objects_narrower() -> None:
    areas = [
        int((Watershed(threshold=level, seed_threshold=0.5, **PLAIN)(evidence(SOFT)) > 0).sum())
        for level in (0.3, 0.5, 0.7)
    ]
    assert areas[0] > areas[1] > areas[2] > 0


def test_grow_fills_the_gap_between_two_objects_alone() -> None:
    gap = 0.95 * ((np.abs(Y - 20) < 10) & (np.abs(X - 40) < 20) & (np.abs(X - 40) > 0))
    apart, grown = (Watershed(grow=n, **PLAIN)(evidence(gap)) > 0 for n in (0, 1))
    assert not apart[20, 40]
    assert grown[20, 40]
    assert not grown[20, 20]


def test_holes_are_filled() -> None:
    ring = 0.95 * (disc(20, 40, 15) & ~disc(20, 40, 5))
    filled, open_ = (Watershed(fill_holes=on, **PLAIN)(evidence(ring)) for on in (True, False))
    assert filled[20, 40] > 0
    assert open_[20, 40] == 0
