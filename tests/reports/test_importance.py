from dataclasses import replace
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from unet_exp.records.sweep import Run, Sweep
from unet_exp.reports import importance as module
from unet_exp.reports.importance import importance


def sweep(count: int) -> Sweep:
    """Jobs whose score follows from the augmentation, and a little from the learning rate."""
    jobs = []
    for n in range(count):
        kind, rate = ("none", "paper")[n % 2], 10.0 ** -(n // 2 + 1)
        words = (f"augmentation={kind}", f"optimizer.lr={rate!r}", "model.depth=3")
        score = (n % 2) + 0.01 * n
        jobs.append(Run(str(n), Path(str(n)), words, "finished", score=score))
    return Sweep(Path("s"), tuple(jobs), parameters=("augmentation", "optimizer.lr", "model.depth"))


def test_the_setting_that_decides_comes_first() -> None:
    pytest.importorskip("optuna", reason="importances are Optuna's: pip install optuna")
    (chart,), reason = importance(sweep(12))
    (series,) = chart.series
    assert list(series.y) == ["augmentation", "lr"]
    assert series.x[0] > 0.8
    assert sum(series.x) == pytest.approx(1, abs=1e-3)
    assert reason == ""


def test_few_jobs_have_no_importance() -> None:
    assert importance(sweep(4)) == ([], "")


def test_equal_scores_have_no_importance() -> None:
    equal = tuple(replace(job, score=0.0) for job in sweep(12).jobs)
    assert importance(replace(sweep(12), jobs=equal)) == ([], "")


def test_without_optuna_the_page_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(name: str) -> ModuleSpec | None:
        return None

    monkeypatch.setattr(module, "find_spec", find)
    charts, reason = importance(sweep(12))
    assert not charts
    assert "pip install 'unet-exp[optuna]'" in reason
