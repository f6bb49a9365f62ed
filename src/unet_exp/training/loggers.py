"""Build the logger of a run: W&B, TensorBoard, CSV, or none."""

import netrc
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from unet_exp.records.run_folder import RunFolder
from unet_exp.records.sweep_folder import SweepFolder
from unet_exp.secrets.masking import masked

if TYPE_CHECKING:
    from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger

    from unet_exp.training.wandb_logger import WandbLogger


def wandb_logger(
    folder: Path,
    run_id: str,
    config: dict[str, Any],
    project: str = "unet_exp",
    entity: str | None = None,
    name: str | None = None,
    group: str | None = None,
    job_type: str | None = None,
    tags: list[str] = [],  # noqa: B006 - a schema needs the default itself
    mode: str | None = None,
    log_checkpoints: bool = False,
) -> "WandbLogger":
    """Return a logger for Weights & Biases, which writes to ``folder``/wandb.

    W&B's summary shows the best value of the monitored score.

    Parameters
    ----------
    run_id
        A resumed run has the same id as before, so that W&B shows one run.
    project, entity
        The project on W&B, and the user or team that it belongs to. By default, your own.
    name, group, job_type, tags
        By default, a job of a sweep has its overrides as name and tags, and the sweep as group.
    mode
        ``online``, ``offline`` or ``disabled``. ``None``: WANDB_MODE if it is set, else online if
        there are credentials, else offline.
    log_checkpoints
        Upload the checkpoints, including the fitted postprocessing, as artifacts at the end.

    Raises ValueError if the mode is unknown.
    """
    from unet_exp.training.wandb_logger import WandbLogger

    mode = mode or os.environ.get("WANDB_MODE") or ("online" if has_credentials() else "offline")
    if mode not in ("online", "offline", "disabled"):
        raise ValueError(f"logger.mode or WANDB_MODE is {mode}: give online, offline or disabled.")
    import wandb

    sweep, overrides = membership(folder)
    if sweep and name in (None, config.get("name")):
        name = " ".join(overrides)[:128] or name
    # Opened before training, so that W&B also shows a run that fails early.
    run = wandb.init(
        dir=folder,
        id=run_id,
        resume="allow",
        mode=mode,  # pyright: ignore[reportArgumentType] - checked above
        config=masked(config),
        project=project,
        entity=entity,
        name=masked(name),
        group=masked(group) or sweep,
        job_type=job_type or ("sweep" if sweep else "train"),
        # W&B's tags have at most 64 characters. The configuration has the full overrides.
        tags=list(
            dict.fromkeys(str(tag)[:64] for tag in [*masked(list(tags)), *overrides] if str(tag))
        ),
        reinit="finish_previous",
        settings=wandb.Settings(console="off", silent=True),
    )
    # The training step is the x-axis of every curve and picture.
    run.define_metric("trainer/global_step")
    run.define_metric("*", step_metric="trainer/global_step", step_sync=True)
    aim = RunFolder(folder).read_summary()
    if aim.get("monitor") and aim.get("mode") in ("max", "min"):
        run.define_metric(
            aim["monitor"],
            step_metric="trainer/global_step",
            step_sync=True,
            summary=f"{aim['mode']},last",
        )
    return WandbLogger(experiment=run, log_model=log_checkpoints and mode == "online")


def membership(folder: Path) -> tuple[str | None, list[str]]:
    """Return the sweep of a run folder, as NAME/STAMP, and the run's overrides.

    A run that is not part of a sweep gives ``(None, [])``.
    """
    folder = folder.absolute()
    overrides = SweepFolder(folder.parent).overrides_of(folder.name)
    if overrides is None:
        return None, []
    return "/".join(folder.parent.parts[-2:]).lstrip("/"), overrides


def address(loggers: list[Any]) -> dict[str, str | None]:
    """Return W&B's url, entity, project, group, id and mode of a run; {} without W&B.

    An offline run has no url yet.

    >>> address([])
    {}
    """
    for logger in loggers:
        if type(logger).__name__ == "WandbLogger":
            run = logger.experiment
            mode = "offline" if run.offline else "disabled" if run.disabled else "online"
            return {
                "url": run.url if mode == "online" else None,  # offline, W&B would warn
                "entity": run.entity or None,
                "project": run.project,
                "group": run.group or None,
                "id": run.id,
                "mode": mode,
            }
    return {}


def has_credentials() -> bool:
    """Return whether the environment or the netrc file has an API key for the server of W&B."""
    if os.environ.get("WANDB_API_KEY"):
        return True
    path = Path(os.environ.get("NETRC") or "~/.netrc").expanduser()
    try:
        host = urlsplit(os.environ.get("WANDB_BASE_URL") or "https://api.wandb.ai").hostname
        return bool(host) and netrc.netrc(path).authenticators(host) is not None
    except (OSError, ValueError, netrc.NetrcParseError):
        return False


def tensorboard_logger(folder: Path, run_id: str, config: dict[str, Any]) -> "TensorBoardLogger":
    """Return a logger that writes to ``folder``/tensorboard (extra ``tensorboard``)."""
    from lightning.pytorch.loggers import TensorBoardLogger

    return TensorBoardLogger(save_dir=folder, name="tensorboard", version="")


def csv_logger(folder: Path, run_id: str, config: dict[str, Any]) -> "CSVLogger":
    """Return a logger that writes every ``trainer.log_every_n_steps`` steps to ``folder``/csv.

    A resumed run writes to another ``version_N``, because Lightning would overwrite the file.
    """
    from lightning.pytorch.loggers import CSVLogger

    return CSVLogger(save_dir=folder, name="csv")


def no_logger(folder: Path, run_id: str, config: dict[str, Any]) -> None:
    """Return no logger. The run folder has metrics, summary and pictures without one."""


def finish(loggers: list[Any], failed: bool) -> None:
    """Close W&B's run as finished or failed."""
    for logger in loggers:
        if type(logger).__name__ == "WandbLogger":
            logger.finish(failed)
