"""Where scores and pictures go besides the run folder: W&B, TensorBoard, CSV, or nowhere."""

import netrc
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger, WandbLogger


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

    Parameters
    ----------
    run_id
        The same for a run and its continuation, which W&B then shows as one.
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
    from lightning.pytorch.loggers import WandbLogger

    mode = mode or os.environ.get("WANDB_MODE") or ("online" if has_credentials() else "offline")
    if mode not in ("online", "offline", "disabled"):
        raise ValueError(f"logger.mode or WANDB_MODE is {mode}: give online, offline or disabled.")
    import wandb

    # Opened before training, so that a run that fails early is seen too.
    run = wandb.init(
        dir=folder,
        id=run_id,
        resume="allow",
        mode=mode,  # pyright: ignore[reportArgumentType] - checked above
        config=config,
        project=project,
        entity=entity,
        name=name,
        group=group,
        job_type=job_type,
        tags=list(tags),
        reinit="finish_previous",
        settings=wandb.Settings(console="off", silent=True),
    )
    # The step of training is the x-axis of every curve and picture.
    run.define_metric("trainer/global_step")
    run.define_metric("*", step_metric="trainer/global_step", step_sync=True)
    return WandbLogger(experiment=run, log_model=log_checkpoints and mode == "online")


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
            logger.experiment.finish(exit_code=int(failed))
