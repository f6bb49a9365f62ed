"""Postprocessing fitted by evaluate.py: what it says holds when it is used."""

import json
import re
from pathlib import Path

import pytest

from tests.running import Command
from unet_exp.commands.tuning import overrides


def test_what_is_printed_gives_the_score_that_is_promised(command: Command, trained: Path) -> None:
    words = ("evaluate", f"run={trained}", "metric=[object_f1]", "pictures=0")
    fitted = command(*words, "tune_postprocessing=true", "hydra.run.dir=fitted")
    assert fitted.code == 0, fitted.err
    found = json.loads(Path("fitted/evaluation.json").read_text())
    tuning, measure = found["tuning"], found["tuning"]["measure"]
    assert tuning["before"] < tuning["after"]
    assert found["scores"][measure] == pytest.approx(tuning["after"], abs=1e-6)
    assert "postprocessing fitted to these images" in fitted.out
    printed = re.search(r"to use it: (.*)", fitted.out)
    assert printed
    assert printed[1].split() == tuning["overrides"]
    again = command(*words, *tuning["overrides"], "hydra.run.dir=again")
    assert again.code == 0, again.err
    used = json.loads(Path("again/evaluation.json").read_text())
    assert used["scores"] == found["scores"]
    assert used["tuning"] is None


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["split=test"], "would choose by the images that are to judge"),
        (["postprocessing=none"], "no parameter to fit"),
    ],
)
def test_what_cannot_be_fitted_is_refused(
    command: Command, trained: Path, words: list[str], told: str
) -> None:
    done = command("evaluate", f"run={trained}", "tune_postprocessing=true", *words)
    assert done.code == 1
    assert told in done.err
    assert not list(Path.cwd().rglob("evaluation.json"))


def test_given_values_give_way_to_chosen_ones() -> None:
    given = ["+postprocessing.threshold=0.3", "+postprocessing.grow=1"]
    assert overrides(given, {"threshold": 0.4}) == [given[1], "+postprocessing.threshold=0.4"]
