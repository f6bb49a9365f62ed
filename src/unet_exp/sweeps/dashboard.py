"""A workspace on W&B for a sweep: scores by setting, curves, pictures and a table of jobs."""

# pyright: reportMissingImports=false, reportPrivateImportUsage=false
import re
from collections.abc import Iterable
from importlib.util import find_spec
from typing import Any

from unet_exp.numbers import parse_number
from unet_exp.records.sweep import Sweep
from unet_exp.shown import shown

#: Scores that get curves besides the one that ranks.
CURVES = ("train/loss", "val/loss")


class DashboardError(ValueError):
    """A workspace cannot be made or saved."""


def publish(sweep: Sweep, target: str) -> str:
    """Save the workspace of a sweep on W&B, and return its address.

    Parameters
    ----------
    target
        ``ENTITY/PROJECT``.

    Raises DashboardError if a package is missing, the target has another form, or W&B cannot be
    reached.
    """
    made = workspace(sweep, *parse_target(target))
    try:
        made.save()
        return str(made.url)
    except Exception as error:  # of W&B, of requests, and of the network
        why = " ".join(str(error).split())[:200] or type(error).__name__
        raise DashboardError(
            f"W&B did not take the workspace of {target} ({shown(why)}). Nothing is lost: log in "
            "(wandb login) where W&B can be reached, upload runs that were logged offline (wandb "
            f"sync {sweep.folder}/*/wandb/offline-run-*), and repeat unet-sweep {sweep.folder} "
            f"--dashboard {target}."
        ) from error


def parse_target(target: str) -> tuple[str, str]:
    """Return entity and project.

    >>> parse_target("our-lab/unet_exp")
    ('our-lab', 'unet_exp')

    Raises DashboardError for another form.
    """
    entity, _, project = target.partition("/")
    if not entity or not project or "/" in project:
        raise DashboardError(
            f"--dashboard {target} is not ENTITY/PROJECT. Give both names as in the address of the "
            "project: wandb.ai/ENTITY/PROJECT."
        )
    return entity, project


def workspace(sweep: Sweep, entity: str, project: str) -> Any:
    """Return the workspace of a sweep; it is saved by its ``save``.

    Raises DashboardError if the package wandb-workspaces is missing.
    """
    if find_spec("wandb_workspaces") is None:
        raise DashboardError(
            "--dashboard needs wandb-workspaces, which is not installed. Install the extra: pip "
            "install 'unet-exp[dashboard]'."
        )
    import wandb_workspaces.reports.v2 as panels
    import wandb_workspaces.workspaces as ws

    score = panels.SummaryMetric(sweep.monitor)
    settings = {key: panels.Config(key) for key in sweep.parameters}
    axes = [panels.ParallelCoordinatesPlotColumn(one) for one in (*settings.values(), score)]
    by_setting: list[Any] = [
        panels.ScatterPlot(
            title=f"{sweep.monitor} by {key}", x=x, y=score, log_x=is_log(sweep, key)
        )
        for key, x in settings.items()
    ]
    if settings:
        by_setting += [
            panels.ParallelCoordinatesPlot(columns=axes, title="All settings"),
            panels.ParameterImportancePlot(with_respect_to=sweep.monitor),
        ]
    curves: list[Any] = [
        panels.LinePlot(title=name, x="Step", y=[name])
        for name in dict.fromkeys((sweep.monitor, *CURVES))
    ]
    sections = [
        ws.Section(name="Scores by setting", panels=by_setting, is_open=True),
        ws.Section(name="Curves", panels=curves, is_open=True),
        ws.Section(name="Jobs", panels=[panels.RunComparer(diff_only="split")], is_open=True),
    ]
    if keys := picture_keys(path.name for job in sweep.jobs for path in job.pictures):
        shown_pictures = panels.MediaBrowser(title="Errors", media_keys=keys, num_columns=2)
        sections.insert(2, ws.Section(name="Pictures", panels=[shown_pictures], is_open=True))
    return ws.Workspace(
        entity=entity,
        project=project,
        name=sweep.name,
        sections=sections,
        runset_settings=ws.RunsetSettings(
            filters=ws.And(ws.Metric("Group") == (group(sweep) or sweep.name)),
            order=[ws.Ordering(ws.Summary(sweep.monitor), ascending=sweep.mode == "min")],
            pinned_columns=[
                f"summary:{sweep.monitor}",
                *map(column, settings),
            ],
        ),
    )


def group(sweep: Sweep) -> str | None:
    """Return the group of the jobs on W&B, if one is recorded."""
    return next((job.wandb["group"] for job in sweep.jobs if job.wandb.get("group")), None)


def column(key: str) -> str:
    """Return the column of a setting in W&B's table of runs.

    >>> column("model.depth"), column("seed")
    ('config:model.value.depth', 'config:seed.value')
    """
    first, _, rest = key.partition(".")
    return f"config:{first}.value{'.' * bool(rest)}{rest}"


def is_log(sweep: Sweep, key: str) -> bool | None:
    """Return whether the values of a setting spread over more than a factor of 20; None if not."""
    values = [parse_number(job.values.get(key, "")) for job in sweep.jobs]
    numbers = [value for value in values if value is not None]
    spread = len(numbers) == len(values) and numbers and min(numbers) > 0
    return True if spread and max(numbers) > 20 * min(numbers) else None


def picture_keys(names: Iterable[str]) -> list[str]:
    """Return the keys of the pictures of a run on W&B, by the names of their files.

    >>> picture_keys(["a_step_000100.png", "a_step_000200.png", "learning_curves.png"])
    ['pictures/a']
    """
    found = (re.fullmatch(r"(.+)_step_\d+\.png", name) for name in names)
    return list(dict.fromkeys(f"pictures/{match[1]}" for match in found if match))
