"""Check that the paths of a command exist, before anything heavy is imported."""

from omegaconf import DictConfig

from unet_exp.runs.given_paths import (
    as_typed,
    find_checkpoint,
    listed,
    require_data,
    require_training_paths,
)

#: Options without a default.
REQUIRED = {
    "predict": ("checkpoint", "input", "output"),
    "export": ("checkpoint", "output"),
}


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
