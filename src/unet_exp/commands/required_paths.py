"""The paths of a command that must exist, checked before anything heavy is imported."""

from omegaconf import DictConfig

from unet_exp.runs.given_paths import (
    as_typed,
    find_checkpoint,
    listed,
    require_data,
    require_training_paths,
)


def require_paths(cfg: DictConfig, command: str) -> None:
    """Refuse paths that have to be there and are not.

    Raises
    ------
    FileNotFoundError, ValueError
        Naming the first.
    """
    if command == "train":
        require_training_paths(cfg)
        return
    if command == "evaluate" and (cfg.run is None) == (cfg.checkpoint is None):
        raise ValueError("Give one of run=FOLDER and checkpoint=FILE.")
    # What has no default is asked for before anything is looked for.
    required = [cfg[name] for name in ("checkpoint", "input", "output") if command == "predict"]
    for path in listed(cfg.checkpoint) if cfg.checkpoint is not None else []:
        find_checkpoint(as_typed(path))
    if required:
        from unet_exp.prediction.inputs import find_images

        find_images(cfg.input)
    if command == "evaluate" and cfg.run is not None:
        from unet_exp.runs.listing import find_runs

        find_runs(cfg.run)
    require_data(cfg.get("dataset") or {})
