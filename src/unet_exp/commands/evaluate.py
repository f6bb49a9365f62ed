"""Score a trained network on whole images: ``python evaluate.py run=outputs/runs/NAME/STAMP``."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from unet_exp.commands.entry import launch, listed
from unet_exp.commands.scoring import Evaluation, evaluated

log = logging.getLogger(__name__)


def evaluate(cfg: DictConfig) -> dict[str, float]:
    """Print and save the scores of every image of a split and of all together.

    Each of several runs (the jobs of a sweep, or a list) is scored on its own fold, into a folder
    of its own; then follow mean and standard deviation over them.

    Raises
    ------
    ValueError
        If not exactly one of ``checkpoint`` and ``run`` is given, the split has no labels, or its
        images have other channels than the network takes.
    FailedRunsError
        If some of several runs could not be scored.
    """
    from unet_exp.commands.comparison import compare
    from unet_exp.commands.runs import find_runs
    from unet_exp.commands.tables import show_images, show_summary

    if (cfg.run is None) == (cfg.checkpoint is None):
        raise ValueError("Give one of run=FOLDER and checkpoint=FILE.")
    folder = Path(HydraConfig.get().runtime.output_dir)
    runs = find_runs(cfg.run) if cfg.run is not None else []
    if runs and (len(runs) > 1 or runs[0].folder != Path(str(cfg.run))):
        groups = compare(
            runs,
            lambda run: evaluate_checkpoints([run.checkpoint], cfg, folder / run.name),
            f"{cfg.split}, {len(runs)} run{'s' * (len(runs) > 1)}",
            {"split": cfg.split},
            folder,
        )
        return groups[0].over_runs("mean")
    checkpoints = [run.checkpoint for run in runs] or listed(cfg.checkpoint)
    result = evaluate_checkpoints(checkpoints, cfg, folder)
    show_images(result.evaluation, result.title, result.measure)
    show_summary(result.evaluation)
    for path in result.paths:
        log.info("%s", path)
    return result.evaluation.scores


@dataclass(frozen=True)
class Result:
    """An evaluation, the configuration it was made with, the score that ranks, and its files."""

    evaluation: Evaluation
    config: dict[str, Any]
    measure: str
    title: str
    paths: list[Path]


def evaluate_checkpoints(paths: list[Path], cfg: DictConfig, folder: Path) -> Result:
    """Score a checkpoint, or the mean of several; write numbers and pictures to ``folder``."""
    from unet_exp.commands.build import build_dataset, build_loaders, load
    from unet_exp.commands.results import draw_results, write_results
    from unet_exp.commands.train import plain

    trained = load(paths, cfg)
    config, predictor = trained.config, trained.predictor
    require_unseen(paths, config, cfg)
    dataset = build_dataset(config)
    if dataset.in_channels != config.model.in_channels:
        raise ValueError(
            f"{dataset.name} has {dataset.in_channels} channels, and the network of {paths[0]} "
            f"takes {config.model.in_channels}. Give images like those it was trained on."
        )
    loader = build_loaders(config, dataset, predictor.networks[0]).whole(cfg.split)
    if not len(loader):
        raise ValueError(
            f"The {cfg.split} split of {dataset.name} has no labelled image. Splits are train, "
            "validation and test; predict.py segments images without labels."
        )
    evaluation = evaluated(predictor, trained.metrics, loader)
    # The score that chose the checkpoint; the loss is not measured here.
    measure = config.monitor.metric
    if measure not in evaluation.scores:
        measure = next(iter(evaluation.scores))
    title = f"{dataset.name}, {cfg.split}"
    facts = {
        "checkpoint": [str(path) for path in paths],
        "tta": cfg.tta,
        "dataset": dataset.name,
        "split": cfg.split,
    }
    written = write_results(evaluation, facts, folder)
    if cfg.pictures:
        pictures = folder / "pictures"
        written += draw_results(
            evaluation, predictor, loader.dataset, measure, cfg.pictures, pictures, title
        )
    count = len(loader)
    title = f"{title}, {count} image{'s' * (count != 1)}"
    return Result(evaluation, plain(config), measure, title, written)


def require_unseen(paths: list[Path], config: DictConfig, cfg: DictConfig) -> None:
    """Refuse to validate on a fold that one of the networks was trained on.

    Raises
    ------
    ValueError
        Naming both folds.
    """
    from unet_exp.training.checkpoint import read_checkpoint

    if cfg.split != "validation" or (len(paths) == 1 and "fold" not in cfg.dataset):
        return
    fold = config.dataset.get("fold")
    for path in paths:
        held = read_checkpoint(path, allowed=None)["config"]["dataset"]
        same = all(held.get(k) == config.dataset.get(k) for k in ("_target_", "name", "root"))
        if same and held.get("fold") != fold:
            raise ValueError(
                f"{path} was validated on fold {held.get('fold')}, so it has seen the images of "
                f"fold {fold} in training. Score it on its own fold, or on split=test."
            )


def main() -> None:
    """Entry point of ``evaluate.py`` and ``unet-evaluate``."""
    launch(evaluate, "evaluate")


if __name__ == "__main__":
    main()
