"""Score the runs of a sweep, each on its own split, and lay the results side by side."""

import logging
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from unet_exp.configuration.errors import explain, is_full
from unet_exp.csv_tables import to_csv
from unet_exp.evaluation.checkpoints import Result
from unet_exp.evaluation.groups import Group, as_overrides, grouped, settings_of, value_at
from unet_exp.evaluation.tables import show
from unet_exp.runs.listing import Run

log = logging.getLogger(__name__)
trace = logging.getLogger("unet_exp.trace")


class FailedRunsError(Exception):
    """Some of the runs could not be scored; the results of the others are whole."""


def compare(
    runs: Sequence[Run],
    evaluate_run: Callable[[Run], Result],
    title: str,
    facts: dict[str, Any],
    folder: Path,
) -> list[Group]:
    """Score each run; print and save a row for each, and mean and standard deviation over them.

    ``facts`` go into ``evaluation.json``.

    Raises
    ------
    FailedRunsError
        Naming the runs that could not be scored, after all else was written.
    """
    for run in runs:
        try:
            result = evaluate_run(run)
            run.config, run.scores = result.config, result.evaluation.scores
            run.images = len(result.evaluation.rows)
            log.info("%s: %s", run.folder, result.title)
            for line in result.fitted.told() if result.fitted else ():
                log.info("%s", line)
        except Exception as error:
            # One broken run must not cost the others; a full disk would break them all.
            if is_full(error):
                raise
            trace.error("".join(traceback.format_exception(error)))
            run.error = explain(error)
    failed = [run for run in runs if run.error]
    told = " ".join(f"{run.name}: {run.error}" for run in failed[:3])
    if len(failed) == len(runs):
        raise FailedRunsError(f"None of the {len(runs)} runs could be scored. {told}")
    keys, groups = grouped([run for run in runs if not run.error])
    paths = write(runs, keys, groups, facts, folder)
    show_runs(groups, failed, keys, title)
    for path in paths:
        log.info("%s", path)
    if failed:
        raise FailedRunsError(
            f"{len(failed)} of {len(runs)} runs could not be scored; means are of the others. "
            f"{told}"
        )
    return groups


def write(
    runs: Sequence[Run],
    keys: Sequence[str],
    groups: Sequence[Group],
    facts: dict[str, Any],
    folder: Path,
) -> list[Path]:
    """Write a row of each run to ``folds.csv``, and the means to ``evaluation.json``."""
    from unet_exp.files import to_json, write_atomically
    from unet_exp.runs.summary import environment

    rows = [
        {
            "run": run.name,
            **{key: value_at(settings_of(run.config), key) for key in keys if not run.error},
            "checkpoint": str(run.checkpoint),
            "training": run.state,
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
    table, record = folder / "folds.csv", folder / "evaluation.json"
    write_atomically(table, to_csv(rows))
    write_atomically(record, to_json({**facts, "groups": means, "runs": rows, **environment()}))
    return [record, table]


def show_runs(
    groups: Sequence[Group], failed: Sequence[Run], keys: Sequence[str], title: str
) -> None:
    """Print a row for each run, mean and standard deviation of each group, and what failed."""
    names = list(dict.fromkeys(n for group in groups for run in group.runs for n in run.scores))
    sections = []
    for group in groups:
        rows = [
            ([run.name, labelled(run, keys)], [run.scores.get(name) for name in names])
            for run in group.runs
        ]
        if len(group.runs) > 1 or len(groups) == 1:
            head = [f"mean of {len(group.runs)}", as_overrides(group.settings)]
            for label, kind in ((head, "mean"), (["std", ""], "std")):
                rows.append((label, [group.over_runs(kind).get(name) for name in names]))
        sections.append(rows)
    shared = set.intersection(*(set(run.overrides) for run in failed)) if failed else set()
    for group in groups:
        shared.intersection_update(*(run.overrides for run in group.runs))
    for run in failed:
        own = [word for word in run.overrides if word not in shared]
        sections.append([([run.name, " ".join([*own, "(failed)"])], [None] * len(names))])
    show(title, ["run", "settings"], names, sections)


def labelled(run: Run, keys: Sequence[str]) -> str:
    """Say in what a run differs from the others, and whether its training came to its end."""
    settings = settings_of(run.config)
    words = as_overrides({key: value_at(settings, key) for key in keys})
    return words if run.state in ("", "finished") else f"{words} (training {run.state})".strip()
