"""A training that is given a time instead of a number of steps."""

import json
from pathlib import Path

import pytest
from omegaconf import OmegaConf
from tests.running import TINY, Command

from unet_exp.runs import budget
from unet_exp.runs.budget import steps_within
from unet_exp.training import pace
from unet_exp.training.pace import Pace

TIMED = (*(word for word in TINY if "max_steps" not in word), "model.depth=1")


@pytest.mark.parametrize(
    ("seconds", "steps"),
    [
        (-1.0, 0),
        (2.5, 0),  # the training ends with a validation of 2 seconds
        (3.0, 1),
        (6.0, 4),
        (12.0, 8),  # two validations, after 4 steps each
        (15.5, 9),  # and one step with a third validation
    ],
)
def test_steps_and_validations_fit_into_the_time(seconds: float, steps: int) -> None:
    assert steps_within(seconds, Pace(step=1.0, validation=2.0), every=4) == steps


def test_a_budget_settles_the_steps_and_the_schedule(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "MEASURED", (0.0, 1))
    monkeypatch.setattr(budget, "measure_pace", lambda *_: Pace(step=10.0, validation=20.0))
    done = command("train", *TIMED, "trainer.budget=2min", "hydra.run.dir=run")
    assert done.code == 0, done.err
    # 0.95 x 120 s: two cycles of 2 steps and a validation take 80 s, one step and a validation 30.
    assert "trainer.max_steps=5  (trainer.budget=2min: a step takes 10 s" in done.out
    recorded = OmegaConf.load("run/config.yaml")
    assert OmegaConf.select(recorded, "trainer.max_steps") == 5
    assert OmegaConf.select(recorded, "trainer.budget") is None
    assert json.loads(Path("run/summary.json").read_text())["steps"] == 5
    again = command("train", *TIMED, "trainer.max_steps=5", "hydra.run.dir=again")
    assert again.code == 0
    # The measurement has left no trace in the weights.
    scores = [
        json.loads(Path(f"{name}/summary.json").read_text())["score"] for name in ("run", "again")
    ]
    assert scores[0] == scores[1]
    longer = command("train", *TIMED, "trainer.budget=2min", "hydra.run.dir=run", "resume=true")
    assert longer.code == 0, longer.err
    assert json.loads(Path("run/summary.json").read_text())["steps"] == 5


def test_the_pace_of_a_tiny_training_is_measured(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "MEASURED", (0.0, 1))
    monkeypatch.setattr(pace, "VALIDATED", (0.0, 1))
    failed = command("train", *TIMED, "trainer.budget=0.01s")
    assert failed.code == 1
    assert "trainer.budget=0.01s is too short: a step takes 0.0" in failed.err
    assert "Give at least trainer.budget=" in failed.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["trainer.budget=20", "trainer.max_steps=null"], "trainer.budget=20 is no duration"),
        (["trainer.budget=0s", "trainer.max_steps=null"], "Write 90s, 20min or 2h"),
        (["trainer.budget=20min"], "trainer.max_steps, which is given as 4"),
        (
            ["trainer.budget=20min", "trainer.max_steps=null", "trainer.devices=2"],
            "measures one process",
        ),
    ],
)
def test_a_wrong_budget_is_refused(command: Command, words: list[str], told: str) -> None:
    failed = command("train", *TINY, *words)
    assert failed.code == 1
    assert told in failed.err
    assert not list(Path("outputs").glob("*/*/*"))
