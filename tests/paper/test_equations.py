"""Equations 1 and 2 of arXiv:1505.04597, written out with loops."""

from math import exp, hypot, log

import numpy as np
import pytest
import torch

from unet_exp.losses.weighted_cross_entropy import WeightedCrossEntropy
from unet_exp.targets.separation import separate
from unet_exp.weight_maps.border import border_weight_map


def test_equation_1() -> None:
    random = np.random.default_rng(0)
    k, height, width = 3, 4, 5
    a = random.normal(0, 2, (k, height, width))
    label = random.integers(0, k, (height, width))
    w = random.uniform(0.5, 10, (height, width))
    energy = 0.0
    for y in range(height):
        for x in range(width):
            p = exp(a[label[y, x], y, x]) / sum(exp(a[c, y, x]) for c in range(k))
            energy += w[y, x] * log(p)
    # The article maximises what it prints, the sum of w log p; a loss is minimised.
    loss = WeightedCrossEntropy(reduction="sum")(
        torch.tensor(a, dtype=torch.float32)[None],
        torch.tensor(label)[None],
        torch.tensor(w, dtype=torch.float32)[None],
    )
    assert loss.item() == pytest.approx(-energy, rel=1e-5)


# Three cells; 2 and 3 touch, and so does nobody once the separation border is made.
CELLS = [
    "11......",
    "11..222.",
    "11..222.",
    "11..222.",
    "....3333",
    "....3333",
    "....3333",
]
SEPARATED = [
    "11......",
    "11..222.",
    "11..222.",
    "11......",
    "........",
    "....3333",
    "....3333",
]


def picture(rows: list[str]) -> np.ndarray:
    return np.array([[int(pixel) if pixel != "." else 0 for pixel in row] for row in rows])


def test_equation_2() -> None:
    w0, sigma = 10.0, 5.0
    labels = picture(SEPARATED)
    cells, background = (labels > 0).sum(), (labels == 0).sum()
    expected = np.zeros(labels.shape)
    for (y, x), label in np.ndenumerate(labels):
        if label:
            expected[y, x] = labels.size / (2 * cells)
            continue
        d1, d2, _ = sorted(
            min(hypot(y - v, x - u) for (v, u), other in np.ndenumerate(labels) if other == cell)
            for cell in (1, 2, 3)
        )
        balance = labels.size / (2 * background)
        expected[y, x] = balance + w0 * exp(-((d1 + d2) ** 2) / (2 * sigma**2))
    weights = border_weight_map(separate(picture(CELLS)), w0, sigma)
    np.testing.assert_allclose(weights, expected, atol=1e-4)
