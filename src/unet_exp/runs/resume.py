"""Find where a run starts: at step 0, or from a checkpoint."""

import logging
import re
import secrets
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from unet_exp.records.run_folder import RunFolder
from unet_exp.secrets.masking import masked

log = logging.getLogger(__name__)

#: Parts of the configuration that must be equal in a run and in the checkpoint that it resumes
#: from, with the keys in them that may differ.
FIXED: dict[str, tuple[str, ...]] = {
    "seed": (),
    "dataset": (
        "data_dir", "root", "url", "download", "archive_limit", "memory_limit", "pixel_size",
    ),
    "augmentation": (),
    "target": (),
    "weight_map": (),
    "loader": ("num_workers", "steps_per_validation"),
    "model": (),
    "loss": (),
    "optimizer": (),
    "scheduler": (),
    "ema_decay": (),
    "monitor": (),
}  # fmt: skip


def starting_point(cfg: DictConfig, folder: RunFolder) -> tuple[Path | None, bool]:
    """Return the checkpoint to start from, if any, and whether this resumes the folder's run."""
    from unet_exp.runs.given_paths import find_checkpoints

    last = folder.last
    resumed = cfg.resume and folder.summary.exists()
    if cfg.resume and not resumed:
        log.warning("resume=true, but %s holds no run: this one begins anew there.", folder.path)
    if resumed and last.exists():
        start = last
    elif cfg.ckpt_path and cfg.init_from.path:
        raise ValueError(
            f"ckpt_path={cfg.ckpt_path} goes on with a training, and init_from="
            f"{cfg.init_from.path} begins one with weights alone. Give one of them."
        )
    elif cfg.ckpt_path:
        (start,) = find_checkpoints(str(cfg.ckpt_path))
    else:
        return None, resumed
    return start, resumed


def source_of_weights(cfg: DictConfig) -> Path | None:
    """Return the checkpoint whose weights initialise a new training, if any."""
    from unet_exp.runs.given_paths import find_checkpoints

    return find_checkpoints(str(cfg.init_from.path))[0] if cfg.init_from.path else None


def require_fitting(
    start: Path, config: dict[str, Any], folder: RunFolder
) -> tuple[int, int | None]:
    """Refuse a checkpoint from which this training cannot continue.

    Returns
    -------
    The step of the checkpoint, and the number of steps of its schedule if this has changed.

    Raises CheckpointError if it cannot be read, if it belongs to another network or another run, or
    if no step is left to train.
    """
    from unet_exp.configuration.tree import differences
    from unet_exp.training.checkpoint import (
        CheckpointError,
        read_content,
        require_own_paths,
        require_same_model,
    )

    # Only weights and counters are loaded; nothing that it names is built.
    content = read_content(start)
    require_own_paths(start, content)
    held = masked(content["config"])
    require_same_target(start, held, config)
    require_same_model(start, held, config)
    found = list(differences(fixed(held), fixed(config)))
    # The length of the schedule changes with the length of the training.
    trainer = held.get("trainer")
    planned = trainer.get("max_steps") if isinstance(trainer, dict) else None
    lengths = planned, config["trainer"]["max_steps"]
    changed = [one for one in found if not (one[0].startswith("scheduler.") and one[1:] == lengths)]
    if changed:
        raise CheckpointError(
            f"{start} was trained with "
            + ", ".join(f"{key}={then} (now {now})" for key, then, now in changed)
            + ". Go on with the values it had; or begin anew with its weights alone: "
            f"init_from={start} in place of resume or ckpt_path."
        )
    step = content.get("global_step")
    if not isinstance(step, int):
        raise CheckpointError(f"{start} does not say at which step it was written.")
    if start != folder.last and step >= config["trainer"]["max_steps"]:
        raise CheckpointError(
            f"{start} is of step {step}, so trainer.max_steps="
            f"{config['trainer']['max_steps']} leaves nothing to train. Give more steps."
        )
    return step, planned if found else None


def require_same_target(start: Path, held: dict[str, Any], config: dict[str, Any]) -> None:
    """Refuse a checkpoint that was trained with another target.

    Raises CheckpointError with both targets.
    """
    from unet_exp.configuration.buildable import brief
    from unet_exp.training.checkpoint import CheckpointError

    old, new = option_of(held.get("target")), option_of(config.get("target"))
    if old and new and old != new:
        raise CheckpointError(
            f"{start} was trained with target={brief(old)}, and this run has target={new}. To use "
            f"the checkpoint, pass target={brief(old)}; to train for the other target, leave out "
            "ckpt_path."
        )


def option_of(node: Any) -> str:
    """Return the name of the option in ``conf/`` of a part of a configuration, or an empty text.

    >>> option_of({"_target_": "unet_exp.targets.three_class.ThreeClass"}), option_of("x")
    ('three_class', '')
    """
    path = node.get("_target_") if isinstance(node, dict) else None
    return path.split(".")[-2] if isinstance(path, str) and "." in path else ""


def fixed(config: dict[str, Any]) -> dict[str, Any]:
    """Return the part of a configuration that must stay the same.

    Earlier versions did not record ``loader.scale``, and resized no images.

    >>> fixed({"seed": 1, "loader": {"tile": 256, "num_workers": 4}, "logger": {}})
    {'seed': 1, 'loader': {'scale': 1.0, 'tile': 256}}
    """
    if isinstance(config.get("loader"), dict):
        config = {**config, "loader": {"scale": 1.0, **config["loader"]}}
    return {
        key: {k: v for k, v in config[key].items() if k not in free}
        if isinstance(config[key], dict)
        else config[key]
        for key, free in FIXED.items()
        if key in config
    }


def run_id(folder: RunFolder, resumed: bool) -> str:
    """Return the id of a run; a resumed run keeps its id."""
    if resumed:
        held = str(folder.read_summary().get("run_id"))
        # W&B names a folder by it.
        if re.fullmatch(r"[0-9A-Za-z]{1,32}", held):
            return held
        log.warning("%s cannot be read; the run gets a new id.", folder.summary)
    return secrets.token_hex(4)
