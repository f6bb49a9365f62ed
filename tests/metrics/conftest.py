"""Label images drawn as text, and random ones."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from tests.label_images import cells
from torch import Tensor


def drawn(text: str) -> Tensor:
    """One character a pixel: '.' is 0, '?' is -1, digits and letters are numbers from 1."""
    rows = [
        [-1 if c == "?" else 0 if c == "." else int(c, 36) for c in row] for row in text.split()
    ]
    return torch.tensor(rows)


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
    """Probabilities of ``classes`` classes, and the true classes with unknown pixels."""

    def pair(classes: int, seed: int = 0) -> tuple[Tensor, Tensor]:
        generator = torch.Generator().manual_seed(seed)
        probabilities = torch.rand(classes, 20, 30, generator=generator).softmax(0)
        return probabilities, torch.randint(-1, classes, (20, 30), generator=generator)

    return pair


@pytest.fixture(scope="session")
def ctcmetrics(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[Sequence[tuple[Tensor, Tensor]]], dict[str, float]]:
    """What py-ctcmetrics makes of a sequence of (result, reference): scores and corrections."""
    pytest.importorskip("ctc_metrics")
    from ctc_metrics.metrics import det, seg
    from ctc_metrics.utils.representations import count_acyclic_graph_correction_operations, match

    folder: Path = tmp_path_factory.mktemp("frames")

    def score(frames: Sequence[tuple[Tensor, Tensor]]) -> dict[str, float]:
        matched = []
        for frame in frames:
            paths = [str(folder / name) for name in ("result.tif", "reference.tif")]
            for path, image in zip(paths, frame, strict=True):
                tifffile.imwrite(path, image.numpy().astype(np.uint16))
            matched.append(match(paths[1], paths[0]))
        references, results, found, finders, ious = (
            list(column) for column in zip(*matched, strict=True)
        )
        counts = count_acyclic_graph_correction_operations(
            None, None, references, results, found, finders
        )
        return {"seg": seg(references, ious), "det": det(**counts), **counts}

    return score
