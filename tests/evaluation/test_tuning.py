"""Postprocessing fitted from the command line."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.running import Command

FAST = ("pictures=0", "+dataset.validation=2", "hydra.run.dir=evaluation")


def result(folder: str) -> dict[str, Any]:
    return json.loads((Path(folder) / "evaluation.json").read_text())


def test_the_chosen_values_have_the_reported_score(command: Command, trained: Path) -> None:
    # Nothing is above 1, so that any other threshold gains.
    worst = "+postprocessing.threshold=1"
    done = command("evaluate", f"run={trained}", *FAST, worst, "tune_postprocessing=true")
    assert done.code == 0, done.err
    found = result("evaluation")
    tuning = found["tuning"]
    assert tuning["before"] == 0 < tuning["after"] == pytest.approx(found["scores"]["seg"])
    assert tuning["scores"]["seg"]["fitted"] == pytest.approx(found["scores"]["seg"])
    assert worst.lstrip("+") not in tuning["overrides"]
    assert set(tuning["chosen"]) >= {"threshold"}
    for said in ("postprocessing fitted to these images", f"0.0000 -> {tuning['after']:.4f}"):
        assert said in " ".join(done.out.split())
    assert f"to use it: {' '.join(tuning['overrides'])}" in " ".join(done.out.split())
    words = (*FAST[:2], "hydra.run.dir=again", *tuning["overrides"])
    assert command("evaluate", f"run={trained}", *words).code == 0
    assert result("again")["scores"] == found["scores"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["split=test"], "tune_postprocessing=true on split=test would choose by the images"),
        (["postprocessing=none"], "no parameter to fit. Choose one that has: postprocessing=wat"),
    ],
)
def test_postprocessing_that_cannot_be_fitted_is_refused(
    command: Command, trained: Path, words: list[str], told: str
) -> None:
    done = command("evaluate", f"run={trained}", *FAST, "tune_postprocessing=true", *words)
    assert done.code == 1
    assert done.err.startswith("Error: ")
    assert told in done.err
    assert not list(Path("evaluation").rglob("*.json"))
