from pathlib import Path
from typing import Any

import pytest

from unet_exp.evaluation.groups import ScoredRun, differing_keys, group_runs, pairs
from unet_exp.records.run_folder import RunFolder


def config(**values: Any) -> dict[str, Any]:
    """Return a small resolved configuration, with values that were copied from others."""
    content: dict[str, Any] = {
        "name": values.get("name", "run"),
        "seed": values.get("seed", 0),
        "loader": {"seed": values.get("seed", 0), "num_workers": values.get("workers", 0)},
        "dataset": {"fold": values.get("fold", 0), "root": values.get("root", "here")},
        "model": {"_target_": "unet_exp.models.unet.UNet", "depth": values.get("depth", 4)},
    }
    return content


def run(number: int, seg: float, **values: Any) -> ScoredRun:
    return ScoredRun(str(number), RunFolder(Path()), config(**values), {"seg": seg})


def test_runs_are_grouped_by_all_but_fold_and_seed() -> None:
    scores = [0.1, 0.2, 0.4, 0.7]
    places = [(3, 0), (3, 1), (4, 0), (4, 1)]
    runs = [
        run(i, seg, depth=depth, fold=fold, seed=fold)
        for i, (seg, (depth, fold)) in enumerate(zip(scores, places, strict=True))
    ]
    keys, groups = group_runs(runs)
    assert set(keys) == {"seed", "dataset.fold", "model.depth"}
    assert [group.settings for group in groups] == [{"model.depth": 3}, {"model.depth": 4}]
    assert [[run.name for run in group.runs] for group in groups] == [["0", "1"], ["2", "3"]]
    assert groups[1].over_runs("mean")["seg"] == pytest.approx(0.55)
    assert groups[1].over_runs("std")["seg"] == pytest.approx(0.3 / 2**0.5)


def test_settings_without_effect_on_scores_make_no_group() -> None:
    runs = [run(i, 0.5, name=f"n{i}", root=f"r{i}", workers=i, fold=i) for i in range(3)]
    keys, groups = group_runs(runs)
    assert keys == ["dataset.fold"]
    assert len(groups) == 1


def test_a_score_that_some_runs_lack_is_averaged_over_the_others() -> None:
    one, two = run(0, 0.5), run(1, 0.7, seed=1)
    two.scores["iou"] = 0.25
    _, (group,) = group_runs([one, two])
    assert group.over_runs("mean") == pytest.approx({"seg": 0.6, "iou": 0.25})


def test_a_single_run_differs_in_nothing() -> None:
    assert differing_keys([config()]) == []


def test_many_runs_are_not_compared_pair_by_pair() -> None:
    many = [config(seed=number) for number in range(30)]
    others = [config(seed=number) | {"model": {"_target_": "N4"}} for number in range(30)]
    assert len(list(pairs([*many, *others]))) == 59
    assert differing_keys([*many, *others]) == ["seed", "model._target_"]


def test_runs_of_several_types_differ_where_any_two_do() -> None:
    models = [{"_target_": "A", "a": 1}, {"_target_": "B", "b": 1}, {"_target_": "B", "b": 2}]
    runs = [config(fold=number // 2) | {"model": model} for number, model in enumerate(models)]
    assert set(differing_keys(runs)) == {"model._target_", "model.b", "dataset.fold"}
