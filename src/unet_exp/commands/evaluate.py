"""Score a trained network on whole images: ``python evaluate.py run=outputs/runs/NAME/STAMP``."""

import logging
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from unet_exp.commands.entry import launch
from unet_exp.runs.given_paths import find_checkpoints

log = logging.getLogger(__name__)


def evaluate(cfg: DictConfig) -> dict[str, float]:
    """Print and save the scores of every image of a split and of all together.

    Each of several runs (the jobs of a sweep, or a list) is scored on its own fold, into a folder
    of its own; then follow mean and standard deviation over them.

    Raises
    ------
    ValueError
        If the split has no labels, or its images have other channels than the network takes.
    FailedRunsError
        If some of several runs could not be scored.
    """
    from unet_exp.evaluation.checkpoints import FITTED, evaluate_checkpoints
    from unet_exp.evaluation.comparison import compare
    from unet_exp.evaluation.tables import show_images, show_summary
    from unet_exp.inference.freed_memory import keep_freed_memory
    from unet_exp.runs.listing import find_runs

    if cfg.tune_postprocessing and cfg.split == "test":
        raise ValueError(
            "tune_postprocessing=true on split=test would choose by the images that are to judge. "
            "Tune on split=validation, then score split=test with the values that it prints."
        )
    keep_freed_memory()
    folder = Path(HydraConfig.get().runtime.output_dir)
    runs = find_runs(cfg.run) if cfg.run is not None else []
    if runs and (len(runs) > 1 or runs[0].folder != Path(str(cfg.run))):
        groups = compare(
            runs,
            lambda run: evaluate_checkpoints([run.checkpoint], cfg, folder / run.name),
            f"{cfg.split}, {len(runs)} run{'s' * (len(runs) > 1)}"
            + f", {FITTED}" * cfg.tune_postprocessing,
            {"split": cfg.split, "tta": cfg.tta, "tune_postprocessing": cfg.tune_postprocessing},
            folder,
        )
        return groups[0].over_runs("mean")
    checkpoints = find_checkpoints([run.folder for run in runs] or cfg.checkpoint)
    result = evaluate_checkpoints(checkpoints, cfg, folder)
    show_images(result.evaluation, result.title, result.measure)
    show_summary(result.evaluation)
    for line in result.fitted.told() if result.fitted else ():
        log.info("%s", line)
    for path in result.paths:
        log.info("%s", path)
    return result.evaluation.scores


def main() -> None:
    """Entry point of ``evaluate.py`` and ``unet-evaluate``."""
    launch(evaluate, "evaluate")


if __name__ == "__main__":
    main()
