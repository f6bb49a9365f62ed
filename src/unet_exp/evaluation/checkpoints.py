"""Score one network, or the mean of several, on a split: numbers, pictures and what ranks them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from unet_exp.configuration.buildable import brief
from unet_exp.configuration.objects import to_plain_data
from unet_exp.evaluation.results import draw_results, write_results
from unet_exp.evaluation.scoring import Evaluation, evaluated
from unet_exp.evaluation.tuning import Fit, fit
from unet_exp.secrets.masking import masked
from unet_exp.training.assembly import build_dataset, build_loaders
from unet_exp.training.trained import Trained, load

#: What is said of scores whose postprocessing was tuned.
FITTED = "postprocessing fitted to these images"


@dataclass(frozen=True)
class Result:
    """An evaluation, the configuration it was made with, the score that ranks, and its files."""

    evaluation: Evaluation
    config: dict[str, Any]
    measure: str
    title: str
    paths: list[Path]
    fitted: Fit | None


def evaluate_checkpoints(paths: list[Path], cfg: DictConfig, folder: Path) -> Result:
    """Score a checkpoint, or the mean of several; write numbers and pictures to ``folder``."""
    trained = load(paths, cfg)
    config, predictor = trained.config, trained.predictor
    recorded = trained.recorded[0]
    require_source(paths[0], recorded, config)
    require_unseen(paths, trained, cfg)
    dataset = build_dataset(config)
    loader = labelled_images(dataset, trained, paths[0], cfg.split)
    # The score that chose the checkpoint; the loss is not measured here.
    names = [str(name) for name in trained.metrics]
    measure = config.monitor.metric if config.monitor.metric in names else names[0]
    fitted = fit(predictor, trained.metrics, loader, measure) if cfg.tune_postprocessing else None
    if fitted:
        predictor.postprocessing = fitted.tuning.postprocessing
    evaluation = evaluated(predictor, trained.metrics, loader)
    title = f"{dataset.name}, {cfg.split}"
    facts = {
        "checkpoint": [str(path) for path in paths],
        "tta": cfg.tta,
        "dataset": dataset.name,
        "split": cfg.split,
        "tuning": fitted.plain() if fitted else None,
    }
    written = write_results(evaluation, facts, folder)
    if cfg.pictures:
        pictures = folder / "pictures"
        written += draw_results(
            evaluation, predictor, loader.dataset, measure, cfg.pictures, pictures, title
        )
    count = len(loader)
    title = f"{title}, {count} image{'s' * (count != 1)}{', ' + FITTED if fitted else ''}"
    # What was not built again, such as the optimiser, tells runs apart as well.
    settings = masked({**recorded, **to_plain_data(config)})
    return Result(evaluation, settings, measure, title, written, fitted)


def require_source(path: Path, recorded: dict[str, Any], config: DictConfig) -> None:
    """Refuse to score on images of which only the checkpoint says where they lie.

    Raises
    ------
    ValueError
        With the override that names them.
    """
    held = recorded["dataset"]
    root = held.get("root") if held.get("_target_") == config.dataset["_target_"] else None
    if root and not config.dataset.get("root"):
        raise ValueError(
            f"{path} was trained on images in {brief(root)}. A checkpoint may come from anybody, "
            "so it does not choose which folder is read. If these are the images to score on, add "
            f"dataset.root={brief(root)}; of other images, their folder."
        )


def labelled_images(dataset: Any, trained: Trained, path: Path, split: str) -> Any:
    """Return a loader of the labelled images of a split.

    Raises
    ------
    ValueError
        If there are none, or they have other channels than the network takes.
    """
    channels = trained.config.model.in_channels
    if dataset.in_channels != channels:
        raise ValueError(
            f"{dataset.name} has {dataset.in_channels} channels, and the network of {path} takes "
            f"{channels}. Give images like those it was trained on."
        )
    loader = build_loaders(trained.config, dataset, trained.predictor.networks[0]).whole(split)
    if not len(loader):
        raise ValueError(
            f"The {split} split of {dataset.name} has no labelled image. Splits are train, "
            "validation and test; predict.py segments images without labels."
        )
    return loader


def require_unseen(paths: list[Path], trained: Trained, cfg: DictConfig) -> None:
    """Refuse to validate on a fold that one of the networks was trained on.

    Raises
    ------
    ValueError
        Naming both folds.
    """
    if cfg.split != "validation" or (len(paths) == 1 and "fold" not in cfg.dataset):
        return
    config = trained.config
    fold = config.dataset.get("fold")
    for path, recorded in zip(paths, trained.recorded, strict=True):
        held = recorded["dataset"]
        same = all(held.get(k) == config.dataset.get(k) for k in ("_target_", "name"))
        same_folder = absolute(held.get("root")) == absolute(config.dataset.get("root"))
        if same and same_folder and held.get("fold") != fold:
            raise ValueError(
                f"{path} was validated on fold {held.get('fold')}, so it has seen the images of "
                f"fold {fold} in training. Score it on its own fold, or on split=test."
            )


def absolute(root: Any) -> Path | None:
    """Return where a data set's own folder lies, however it is written; None if it has none."""
    return Path(str(root)).expanduser().resolve() if root else None
