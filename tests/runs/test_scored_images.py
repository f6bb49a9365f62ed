"""The files of scored images."""

from pathlib import Path
from typing import Any

import pytest
import torch

from unet_exp.inference.predictor import Prediction
from unet_exp.runs.scored_images import draw_images, worst_and_best
from unet_exp.runs.scoring import Evaluation


def image(name: str) -> dict[str, Any]:
    labels = torch.zeros(16, 16, dtype=torch.int32)
    labels[4:8, 4:8] = 1
    return {"name": name, "by_class": False, "image": torch.rand(1, 16, 16), "labels": labels,
            "weights": torch.ones(16, 16)}  # fmt: skip


def drawn(scores: dict[str, float], folder: Path) -> set[str]:
    """Return the pictures in a folder after the worst and the best image were drawn."""
    nothing = Prediction(torch.full((2, 16, 16), 0.5), torch.zeros(16, 16, dtype=torch.int32))
    rows = [{"name": name, "seg": score} for name, score in scores.items()]
    kept = dict.fromkeys(range(len(rows)), nothing)
    pixels: Any = None
    evaluation = Evaluation(rows, {}, {}, {}, pixels, {"seg": True}, kept=kept)
    network: Any = None
    draw_images(evaluation, network, list(map(image, scores)), "seg", 1, folder)
    return {path.name for path in folder.iterdir()}


def test_pictures_of_an_earlier_scoring_are_replaced(tmp_path: Path) -> None:
    assert drawn({"a/1": 0.9, "b": 0.2}, tmp_path) == {"worst_1_b.png", "best_1_a_1.png"}
    (tmp_path / "best_of_all.png").touch()
    found = drawn({"a/1": 0.1, "b": 0.2}, tmp_path)
    assert found == {"worst_1_a_1.png", "best_1_b.png", "best_of_all.png"}


@pytest.mark.parametrize(
    ("ranked", "names"),
    [
        ([3], "worst_1"),
        ([3, 1], "worst_1 best_1"),
        ([3, 1, 0, 2], "worst_1 worst_2 best_1 best_2"),
        ([3, 1, 0, 2, 4], "worst_1 worst_2 best_1 best_2"),
    ],
)
def test_the_best_image_is_named_even_if_there_are_few(ranked: list[int], names: str) -> None:
    chosen = dict(worst_and_best(ranked, 2))
    assert list(chosen) == names.split()
    assert chosen["worst_1"] == 3
    assert chosen.get("best_1", ranked[-1]) == ranked[-1]
    assert len(set(chosen.values())) == len(chosen)
