"""Jobs of a sweep that differ in fold and seed alone, and the mean of their scores."""

from unet_exp.evaluation.groups import REPEATS, Group
from unet_exp.records.sweep import Sweep
from unet_exp.runs.listing import Run


def repeats(sweep: Sweep) -> list[Group]:
    """Group the finished jobs by all settings but fold and seed, the best mean first.

    The score that ranks jobs is among the scores of each, under the name that the sweep gives it.
    """
    keys = [key for key in sweep.parameters if key not in REPEATS]
    groups: dict[tuple[str | None, ...], Group] = {}
    ranked = {job.name for job in sweep.ranked}
    for job in (job for job in sweep.jobs if job.name in ranked):
        settings = {key: job.values.get(key) for key in keys}
        scores = {**job.scores, sweep.monitor: job.score or 0.0}
        group = groups.setdefault(tuple(settings.values()), Group(settings, []))
        group.runs.append(Run(job.name, job.folder, scores=scores))
    return sorted(
        groups.values(),
        key=lambda group: group.over_runs("mean")[sweep.monitor],
        reverse=sweep.mode == "max",
    )
