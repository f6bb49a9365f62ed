"""Score several runs, each on its own split, and compare the results."""

import logging
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from unet_exp.configuration.errors import explain, is_full
from unet_exp.evaluation.groups import ScoredRun, as_overrides, group_runs
from unet_exp.evaluation.tables import show
from unet_exp.records.evaluation_folder import EvaluationFolder
from unet_exp.records.groups import Group
from unet_exp.reports.evaluation_page import write_evaluation_page
from unet_exp.runs.summary import environment

log = logging.getLogger(__name__)
trace = logging.getLogger("unet_exp.trace")


class FailedRunsError(Exception):
    """Some of the runs could not be scored. The results of the others are written."""


def compare(
    runs: Sequence[ScoredRun],
    evaluate_run: Callable[[ScoredRun], None],
    title: str,
    facts: dict[str, Any],
    folder: EvaluationFolder,
) -> list[Group[ScoredRun]]:
    """Score each run; print and write a row for each, with mean and standard deviation.

    ``evaluate_run`` stores the configuration, the scores and the number of images in the run.
    ``facts`` go into ``evaluation.json``. FailedRunsError names the runs that could not be scored,
    after the results of the others were written.
    """
    for run in runs:
        try:
            evaluate_run(run)
        except Exception as error:
            # If one run fails, the others are still scored. With a full disk, all would fail.
            if is_full(error):
                raise
            trace.error("".join(traceback.format_exception(error)))
            run.error = explain(error)
    failed = [run for run in runs if run.error]
    reasons = " ".join(f"{run.name}: {run.error}" for run in failed[:3])
    if len(failed) == len(runs):
        raise FailedRunsError(f"None of the {len(runs)} runs could be scored. {reasons}")
    keys, groups = group_runs([run for run in runs if not run.error])
    paths = write_comparison(runs, keys, groups, facts, folder)
    paths.append(write_evaluation_page(folder))
    show_runs(groups, failed, keys, title)
    for path in paths:
        log.info("%s", path)
    if failed:
        raise FailedRunsError(
            f"{len(failed)} of {len(runs)} runs could not be scored; means are of the others. "
            f"{reasons}"
        )
    return groups


def show_runs(
    groups: Sequence[Group[ScoredRun]], failed: Sequence[ScoredRun], keys: Sequence[str], title: str
) -> None:
    """Print each run, the mean and standard deviation of each group, and the failed runs."""
    names = list(dict.fromkeys(n for group in groups for run in group.runs for n in run.scores))
    sections = []
    for group in groups:
        rows = [
            ([run.name, label(run, keys)], [run.scores.get(name) for name in names])
            for run in group.runs
        ]
        if len(group.runs) > 1 or len(groups) == 1:
            head = [f"mean of {len(group.runs)}", as_overrides(group.settings)]
            for labels, kind in ((head, "mean"), (["std", ""], "std")):
                values = group.over_runs(kind)
                rows.append((labels, [values.get(name) for name in names]))
        sections.append(rows)
    every = [*failed, *(run for group in groups for run in group.runs)]
    overrides = {run.name: run.folder.read_overrides() for run in every}
    shared = set.intersection(*map(set, overrides.values()))
    for run in failed:
        own = [override for override in overrides[run.name] if override not in shared]
        sections.append([([run.name, " ".join([*own, "(failed)"])], [None] * len(names))])
    show(title, ["run", "settings"], names, sections)


def label(run: ScoredRun, keys: Sequence[str]) -> str:
    """Return the settings in which a run differs, and whether its training is unfinished."""
    text = as_overrides(run.settings(keys))
    state = run.folder.state()
    return text if state in ("", "finished") else f"{text} (training {state})".strip()


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
