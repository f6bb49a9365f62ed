"""Where scores and pictures go besides the run folder: W&B, TensorBoard, CSV, or nowhere."""

import netrc
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unet_exp.files import read_json
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
    """Log to Weights & Biases, under ``folder``/wandb.

    The chosen score stands in the run's summary at its best, as ``folder``/summary.json names it.

    Parameters
    ----------
    run_id
        The same for a run and its continuation, which W&B then shows as one.
    name, group, job_type, tags
        A job of a sweep is named by what it differs in, which are its tags too, in the group of
        the sweep; a name or group that is given here stays.
    mode
        ``online``, ``offline`` or ``disabled``. ``None``: WANDB_MODE where it is set, else
        online where credentials exist, else offline.
    log_checkpoints
        Upload the checkpoints as artifacts.

    Raises
    ------
    ValueError
        If the mode is none of the three.
    """
    from unet_exp.training.wandb_logger import WandbLogger

    mode = mode or os.environ.get("WANDB_MODE") or ("online" if has_credentials() else "offline")
    if mode not in ("online", "offline", "disabled"):
        raise ValueError(f"logger.mode or WANDB_MODE is {mode}: give online, offline or disabled.")
    import wandb

    sweep, overrides = membership(folder)
    if sweep and name in (None, config.get("name")):
        name = " ".join(overrides)[:128] or name
    # Opened before training, so that a run that fails early is seen too.
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
        # W&B takes tags of up to 64 letters; the configuration keeps them whole.
        tags=list(
            dict.fromkeys(str(tag)[:64] for tag in [*masked(list(tags)), *overrides] if str(tag))
        ),
        reinit="finish_previous",
        settings=wandb.Settings(console="off", silent=True),
    )
    # The step of training is the x-axis of every curve and picture.
    run.define_metric("trainer/global_step")
    run.define_metric("*", step_metric="trainer/global_step", step_sync=True)
    aim = read_json(folder / "summary.json")
    if aim.get("monitor") and aim.get("mode") in ("max", "min"):
        run.define_metric(
            aim["monitor"],
            step_metric="trainer/global_step",
            step_sync=True,
            summary=f"{aim['mode']},last",
        )
    return WandbLogger(experiment=run, log_model=log_checkpoints and mode == "online")


def membership(folder: Path) -> tuple[str | None, list[str]]:
    """Return the sweep that a run folder belongs to, as NAME/STAMP, and the run's own words.

    ``(None, [])`` of a run by itself.
    """
    folder = folder.absolute()
    jobs = read_json(folder.parent / "sweep.json").get("jobs")
    for job in jobs if isinstance(jobs, list) else ():
        if isinstance(job, dict) and job.get("folder") == folder.name:
            overrides = [word for word in job.get("overrides", ()) if isinstance(word, str)]
            return "/".join(folder.parent.parts[-2:]).lstrip("/"), overrides
    return None, []


def address(loggers: list[Any]) -> dict[str, str | None]:
    """Return where W&B has the run: url, entity, project, group, id and mode; {} without W&B.

    Offline, there is no url yet.

    >>> address([])
    {}
    """
    for logger in loggers:
        if type(logger).__name__ == "WandbLogger":
            run = logger.experiment
            mode = "offline" if run.offline else "disabled" if run.disabled else "online"
            return {
                "url": run.url if mode == "online" else None,  # asked offline, W&B complains
                "entity": run.entity or None,
                "project": run.project,
                "group": run.group or None,
                "id": run.id,
                "mode": mode,
            }
    return {}


def has_credentials(host: str = "api.wandb.ai") -> bool:
    """Whether an API key stands in the environment or in the netrc file."""
    if os.environ.get("WANDB_API_KEY"):
        return True
    path = Path(os.environ.get("NETRC") or "~/.netrc").expanduser()
    try:
        return netrc.netrc(path).authenticators(host) is not None
    except (OSError, netrc.NetrcParseError):
        return False


def tensorboard_logger(folder: Path, run_id: str, config: dict[str, Any]) -> "TensorBoardLogger":
    """Log to ``folder``/tensorboard (``pip install unet-exp[tensorboard]``)."""
    from lightning.pytorch.loggers import TensorBoardLogger

    return TensorBoardLogger(save_dir=folder, name="tensorboard", version="")


def csv_logger(folder: Path, run_id: str, config: dict[str, Any]) -> "CSVLogger":
    """Log every ``trainer.log_every_n_steps`` to ``folder``/csv, beside the run's metrics.csv.

    A resumed run writes to another ``version_N`` there, since Lightning begins a file anew.
    """
    from lightning.pytorch.loggers import CSVLogger

    return CSVLogger(save_dir=folder, name="csv")


def no_logger(folder: Path, run_id: str, config: dict[str, Any]) -> None:
    """Log nowhere; metrics.csv, summary.json and the pictures are written all the same."""


def finish(loggers: list[Any], failed: bool) -> None:
    """Close W&B's run with the exit state that the job had."""
    for logger in loggers:
        if type(logger).__name__ == "WandbLogger":
            logger.finish(failed)
