import math
from pathlib import Path

import cv2
import numpy as np

from unet_exp.pictures.learning_curves import grouped, learning_curves, smooth

ROWS: list[dict[str, object]] = [
    {"step": 0, "epoch": 0, "train/loss": 1.0, "lr": 0.1},
    {"step": 1, "epoch": 0, "train/loss": "0.5", "val/loss": 0.7, "val/seg": 0.2},
    {"step": "2", "epoch": 1, "train/loss": "nan", "val/loss": None, "val/seg": ""},
    {"step": 3, "epoch": 1, "train/loss": math.inf, "val/seg": 0.4, "note": "resumed"},
]


def test_numbers_are_sorted_into_plots() -> None:
    plots = grouped(ROWS)
    assert list(plots) == ["loss", "seg", "lr"]
    found = {
        (name, curve): [p.tolist() for p in points]
        for name, curves in plots.items()
        for curve, points in curves.items()
    }
    assert found == {
        ("loss", "train"): [[0, 1], [1, 0.5]],
        ("loss", "val"): [[1], [0.7]],
        ("seg", "val"): [[1, 3], [0.2, 0.4]],
        ("lr", ""): [[0], [0.1]],
    }


def test_rows_without_a_step_count_on() -> None:
    plots = grouped([{"step": 5, "a": 1}, {"a": 2}, {"step": "", "a": 3}])
    assert plots["a"][""][0].tolist() == [5, 6, 7]


def test_smooth_is_a_running_mean_at_the_middle_of_its_window() -> None:
    steps, means = smooth(np.arange(100.0), np.arange(100.0))
    assert (np.abs(steps - means) <= 0.5).all()
    noise = np.random.default_rng(0).random(1000)
    assert smooth(np.arange(1000.0), noise)[1].std() < noise.std() / 4


def test_a_file_as_drawn(tmp_path: Path) -> None:
    drawn = learning_curves(ROWS, tmp_path / "curves.png")
    read = cv2.imread(str(tmp_path / "curves.png"))
    assert read is not None
    assert (read[..., ::-1] == drawn).all()


def test_nothing_one_point_constant_and_huge() -> None:
    assert learning_curves([]).any()
    assert learning_curves([{"step": 1, "epoch": 2}]).any()
    assert learning_curves([{"step": 7, "train/loss": 0.3}]).any()
    assert learning_curves([{"step": s, "lr": 1e-3} for s in range(100)]).any()
    assert learning_curves([{"step": s, "train/loss": 10.0**-s} for s in range(12)]).any()
    assert learning_curves([{"step": s, "train/loss": 0.0} for s in range(3)]).any()
    assert learning_curves({"step": s, "train/loss": -1e30 * s} for s in range(3)).any()


def test_as_many_plots_as_quantities() -> None:
    few = learning_curves([{"step": 1, **{f"val/{k}": 0.1 for k in "abc"}}])
    many = learning_curves([{"step": 1, **{f"val/{k}": 0.1 for k in "abcdefg"}}])
    assert many.shape[1] == few.shape[1]
    assert 2.5 < many.shape[0] / few.shape[0] < 3
