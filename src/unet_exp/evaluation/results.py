"""The files of several scored runs: their means and a table."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from unet_exp.evaluation.groups import ScoredRun
from unet_exp.records.evaluation_folder import EvaluationFolder
from unet_exp.records.groups import Group
from unet_exp.runs.summary import environment


def write_comparison(
    runs: Sequence[ScoredRun],
    keys: Sequence[str],
    groups: Sequence[Group[ScoredRun]],
    facts: dict[str, Any],
    folder: EvaluationFolder,
) -> list[Path]:
    """Write a row for each run to ``folds.csv``, and the means to ``evaluation.json``."""
    rows = [
        {
            "run": run.name,
            **(run.settings(keys) if not run.error else {}),
            "checkpoint": str(run.folder.best),
            "training": run.folder.state(),
            "images": run.images,
            **run.scores,
            "error": run.error,
        }
        for run in runs
    ]
    means = [
        {
            "settings": group.settings,
            "runs": [run.name for run in group.runs],
            **{kind: group.over_runs(kind) for kind in ("mean", "std")},
        }
        for group in groups
    ]
    folder.write_rows(folder.runs, rows)
    folder.write_record({**facts, "groups": means, "runs": rows, **environment()})
    return [folder.record, folder.runs]
