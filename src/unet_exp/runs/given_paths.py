"""Find what the paths of a command name, before anything heavy is imported."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.utils import to_absolute_path
from omegaconf import DictConfig, ListConfig, OmegaConf

from unet_exp.records.run_folder import RunFolder
from unet_exp.records.sweep_folder import SweepFolder

log = logging.getLogger(__name__)

#: Options without a default.
REQUIRED = {
    "predict": ("checkpoint", "input", "output"),
    "export": ("checkpoint", "output"),
}


def find_checkpoints(given: Any) -> list[Path]:
    """Return the checkpoint files that an option names: one path, or a list of paths.

    A run folder stands for its best checkpoint, else its last one, which is logged.

    Raises FileNotFoundError if there is none.
    """
    names = RunFolder(Path())
    found = [find_checkpoint(path) for path in listed(given)]
    if not found:
        raise FileNotFoundError("An empty list names no checkpoint. Give a file or a run folder.")
    for path in found:
        if path.name == names.last.name and path not in listed(given):
            log.info("%s is taken: there is no %s beside it.", path, names.best.name)
    return found


def find_checkpoint(path: Path) -> Path:
    """Return a checkpoint file itself, or the one in a run folder or in its checkpoints/.

    Raises FileNotFoundError if there is none.
    """
    if path.is_file():
        return path
    if not path.is_dir():
        raise FileNotFoundError(f"No checkpoint at {path}. A run keeps its own in checkpoints/.")
    run, sweep = RunFolder(path), SweepFolder(path)
    # Here, or in the folder of the checkpoints itself.
    for name in (run.best, run.last, path / run.best.name, path / run.last.name):
        if name.is_file():
            return name
    jobs = sorted(job for job in path.iterdir() if RunFolder(job).best.exists())
    if jobs:
        score = sweep.read_content().get("monitor") or "score"
        raise FileNotFoundError(
            f"{path} is a sweep of {len(jobs)} networks. Give the folder of one job, such as "
            f"{jobs[0]}; {sweep.table.name} has the {score} of each. To score them all: "
            f"evaluate.py run={path}."
        )
    raise FileNotFoundError(
        f"{path} holds no checkpoint: neither {run.best.name} nor {run.last.name} is in it or in "
        f"its {run.checkpoints.name}/. Give a file, or the folder of a run, "
        "outputs/runs/NAME/STAMP."
    )


def require_training_paths(cfg: DictConfig) -> None:
    """Refuse paths of a training that do not exist.

    Raises FileNotFoundError or ValueError with the first.
    """
    # A resumed run has its own checkpoint.
    for given in (cfg.get("ckpt_path"), OmegaConf.select(cfg, "init_from.path")):
        if not cfg.resume and given is not None:
            for path in listed(given):
                find_checkpoint(as_typed(path))
    require_data(cfg.get("dataset") or {})


def require_data(dataset: Mapping[str, Any]) -> None:
    """Refuse a data set if its folder does not exist or known files are missing in it.

    Raises FileNotFoundError or ValueError with the folder.
    """
    root, data_dir = dataset.get("root"), dataset.get("data_dir")
    if root is not None:
        from unet_exp.datasets.pairing import find_root, require_layout

        folder = str(as_typed(root)) if root else ""
        if str(dataset.get("_target_", "")).endswith("datasets.folder.Folder"):
            require_layout(folder)
        elif not Path(folder).is_file():
            find_root(folder)
    fixed = dataset.get("download") is False
    if data_dir and fixed and not as_typed(data_dir).is_dir():
        raise FileNotFoundError(
            f"data_dir={data_dir} is no folder. Run with dataset.download=true to fetch the data, "
            "or point data_dir (or UNET_EXP_DATA) at the folder that holds them."
        )


def listed(value: Any) -> list[Path]:
    """Return the paths of one value or of a list of values.

    >>> listed("a.ckpt") == [Path("a.ckpt")]
    True
    """
    several = isinstance(value, list | tuple | ListConfig)
    return [Path(str(one)) for one in (value if several else [value])]


def as_typed(path: Any) -> Path:
    """Return a path relative to the folder in which the command was started."""
    moved = HydraConfig.initialized() and HydraConfig.get().job.chdir
    return Path(to_absolute_path(str(path)) if moved else str(path))


def require_paths(cfg: DictConfig, command: str) -> None:
    """Refuse paths that must exist and do not.

    Raises FileNotFoundError or ValueError, naming the first of them.
    """
    if command == "train":
        require_training_paths(cfg)
        return
    if command == "evaluate" and (cfg.run is None) == (cfg.checkpoint is None):
        raise ValueError("Give one of run=FOLDER and checkpoint=FILE.")
    # Missing options are reported before missing paths.
    for name in REQUIRED.get(command, ()):
        cfg[name]  # raises an error that names it
    for path in listed(cfg.checkpoint) if cfg.checkpoint is not None else []:
        find_checkpoint(as_typed(path))
    if command == "predict":
        from unet_exp.runs.given_images import find_images

        find_images(cfg.input)
    if command == "evaluate" and cfg.run is not None:
        from unet_exp.runs.listing import find_runs

        find_runs(cfg.run)
    require_data(cfg.get("dataset") or {})
