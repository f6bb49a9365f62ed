"""Several runs are compared, each on its own fold."""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.running import Command

FAST = ("pictures=0", "hydra.run.dir=evaluation")


def images(sweep: Path) -> str:
    """Return the override that names the images, which a checkpoint does not."""
    return f"+dataset.root={sweep.parent}/own"


def rows(path: str | Path) -> list[dict[str, str]]:
    with Path(path).open(newline="") as file:
        return list(csv.DictReader(file))


def result(folder: str = "evaluation") -> dict[str, Any]:
    return json.loads((Path(folder) / "evaluation.json").read_text())


def logged(run: Path) -> dict[str, float]:
    """What training logged at its only validation."""
    (row,) = rows(run / "metrics.csv")
    return {k.removeprefix("val/"): float(v) for k, v in row.items() if k.startswith("val/")}


@pytest.fixture
def broken(sweep: Path, tmp_path: Path) -> Path:
    """The sweep with a third job that left no checkpoint."""
    folder = tmp_path / "sweep"
    shutil.copytree(sweep, folder)
    shutil.copytree(folder / "1" / ".hydra", folder / "2" / ".hydra")
    (folder / "2" / "train.log").touch()
    words = (folder / "2" / ".hydra" / "overrides.yaml").read_text()
    (folder / "2" / ".hydra" / "overrides.yaml").write_text(words.replace("fold=1", "fold=2"))
    return folder


def test_each_run_is_scored_on_its_own_fold(command: Command, sweep: Path) -> None:
    done = command("evaluate", f"run={sweep}", images(sweep), *FAST)
    assert done.code == 0, done.err
    table = rows("evaluation/folds.csv")
    assert [(row["run"], row["dataset.fold"]) for row in table] == [("0", "0"), ("1", "1")]
    for row, names in zip(table, (["0", "1"], ["2"]), strict=True):
        expected = logged(sweep / row["run"])
        assert float(row["iou"]) == expected["iou"]
        assert [each["name"] for each in rows(f"evaluation/{row['run']}/per_image.csv")] == names
        assert result(f"evaluation/{row['run']}")["scores"]["v_rand"] == expected["v_rand"]
    ious = [float(row["iou"]) for row in table]
    (group,) = result()["groups"]
    assert group["runs"] == ["0", "1"]
    assert group["mean"]["iou"] == pytest.approx(np.mean(ious))
    assert group["std"]["iou"] == pytest.approx(abs(ious[0] - ious[1]) / 2**0.5)
    for word in ("dataset.fold=0", "dataset.fold=1", "mean of 2", "std", f"{np.mean(ious):.4f}"):
        assert word in done.out


def test_a_list_of_runs_and_values_for_all(command: Command, sweep: Path) -> None:
    runs = f"run=[{sweep}/1,{sweep}/0]"
    done = command("evaluate", runs, images(sweep), *FAST, "+postprocessing.threshold=1")
    assert done.code == 0, done.err
    table = rows("evaluation/folds.csv")
    assert [row["run"] for row in table] == ["1", "0"]
    assert [row["seg"] for row in table] == ["0.0", "0.0"]  # nothing is above 1


def test_a_run_without_checkpoint_is_left_out_and_reported(
    command: Command, sweep: Path, broken: Path
) -> None:
    done = command("evaluate", f"run={broken}", images(sweep), *FAST)
    assert done.code == 1
    assert done.err.count("\n") == 1
    assert done.err.startswith("Error: 1 of 3 runs could not be scored; means are of the others.")
    assert f"2: No checkpoint at {broken}/2/checkpoints/best.ckpt" in done.err
    assert "dataset.fold=2 (failed)" in done.out
    assert "mean of 2" in done.out
    assert [bool(row["error"]) for row in rows("evaluation/folds.csv")] == [False, False, True]
    assert result()["groups"][0]["runs"] == ["0", "1"]


def test_no_run_with_a_checkpoint(command: Command, broken: Path) -> None:
    for job in ("0", "1"):
        (broken / job / "checkpoints" / "best.ckpt").write_text("cut")
    done = command("evaluate", f"run={broken}", *FAST)
    assert done.code == 1
    assert "None of the 3 runs could be scored." in done.err
    assert "0/checkpoints/best.ckpt cannot be read as a checkpoint" in done.err
    assert not list(Path("evaluation").rglob("*.csv"))


@pytest.mark.parametrize("way", ["one fold for all", "the mean of two folds"])
def test_a_fold_seen_in_training_is_refused(command: Command, sweep: Path, way: str) -> None:
    best = "checkpoints/best.ckpt"
    words = [f"run={sweep}/1", "+dataset.fold=0"]
    if way != "one fold for all":
        words = [f"checkpoint=[{sweep}/0/{best},{sweep}/1/{best}]"]
    done = command("evaluate", *words, images(sweep), *FAST)
    assert done.code == 1
    assert "has seen the images of fold 0 in training" in done.err
