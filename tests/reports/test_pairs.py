import json
from pathlib import Path

import pytest
from scipy.stats import ttest_1samp

from unet_exp.records.sweep import Run, Sweep, read_sweep
from unet_exp.reports.pairs import paired, pairs


def test_the_interval_is_that_of_a_paired_t_test() -> None:
    values = [0.01, 0.03, -0.02, 0.05]
    expected = ttest_1samp(values, 0).confidence_interval(0.95)
    found = paired(values)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert (found.mean, found.count) == (pytest.approx(0.0175), 4)


def job(number: int, depth: int, seed: int, score: float) -> Run:
    words = (f"model.depth={depth}", f"seed={seed}")
    return Run(str(number), Path(str(number)), words, "finished", score=score)


def test_only_shared_seeds_are_compared() -> None:
    scores = {(3, 0): 0.5, (3, 1): 0.6, (3, 2): 0.1, (4, 0): 0.7, (4, 1): 0.9, (5, 3): 0.2}
    jobs = tuple(job(n, *key, score) for n, (key, score) in enumerate(scores.items()))
    (chart,), rows = pairs(Sweep(Path("s"), jobs, parameters=("model.depth", "seed")))
    # Differences of -0.2 and -0.3; depth 5 has no seed of depth 4.
    assert [(name, cells[0], cells[2]) for name, cells in rows] == [("depth=3", "-0.2500", "2")]
    assert chart.title == "Difference to depth=4"
    assert chart.series[1].x == pytest.approx([-0.25])


def test_without_repeats_nothing_is_compared(drawn: Path) -> None:
    content = json.loads((drawn / "sweep.json").read_text())
    (drawn / "sweep.json").write_text(json.dumps({**content, "jobs": content["jobs"][:3]}))
    assert pairs(read_sweep(drawn)) == ([], [])
