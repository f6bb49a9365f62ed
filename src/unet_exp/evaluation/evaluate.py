"""Score checkpoints, or the runs of a sweep, on a split: tables, records and pictures."""

import logging
from dataclasses import asdict
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from torchmetrics import MetricCollection

from unet_exp.configuration.buildable import brief
from unet_exp.configuration.objects import to_plain_data
from unet_exp.datasets.prepared import Prepared
from unet_exp.evaluation.comparison import compare
from unet_exp.evaluation.groups import ScoredRun
from unet_exp.evaluation.tables import show_images, show_summary
from unet_exp.evaluation.tuning import tuning_record, tuning_report
from unet_exp.inference.freed_memory import keep_freed_memory
from unet_exp.inference.magnification import parse_scale, recorded_pixel_size, scale_between
from unet_exp.packages.opened import is_package, open_trained
from unet_exp.records.evaluation_folder import EvaluationFolder
from unet_exp.reports.evaluation_page import write_evaluation_page
from unet_exp.runs.given_paths import find_checkpoints
from unet_exp.runs.listing import find_runs
from unet_exp.runs.scored_images import draw_curves, draw_images, write_results
from unet_exp.runs.scoring import Evaluation, score_images
from unet_exp.secrets.masking import masked
from unet_exp.training.assembly import build_dataset, build_loaders, build_metrics
from unet_exp.training.trained import Trained, naming_values_of, read_config
from unet_exp.training.tuned_postprocessing import score_of_instances, tune_postprocessing

log = logging.getLogger(__name__)

#: Note beside scores whose postprocessing was tuned on the same images.
FITTED = "postprocessing fitted to these images"
#: The same for a postprocessing that was fitted at the end of the training.
FITTED_BEFORE = "postprocessing fitted to the validation images of its training"


def evaluate(cfg: DictConfig, folder: Path) -> dict[str, float]:
    """Print and write the scores of every image of a split and of all images together.

    If there are several runs (the jobs of a sweep, or a list), each is scored on its own fold and
    has its own folder. Then their means and standard deviations are returned.
    """
    if cfg.tune_postprocessing and cfg.split == "test":
        raise ValueError(
            "tune_postprocessing=true on split=test would choose by the images that are to judge. "
            "Tune on split=validation, then score split=test with the values that it prints."
        )
    keep_freed_memory()
    found = find_runs(cfg.run) if cfg.run is not None else {}
    runs = [ScoredRun(name, run) for name, run in found.items()]
    paths = [run.path for run in found.values()]
    if paths in ([], [Path(str(cfg.run))]):
        checkpoints = find_checkpoints(paths or cfg.checkpoint)
        return evaluate_checkpoints(checkpoints, cfg, folder)[0].scores

    def evaluate_run(run: ScoredRun) -> None:
        evaluation, run.config = evaluate_checkpoints(
            [run.folder.best], cfg, folder / run.name, run.folder.path
        )
        run.scores, run.images = evaluation.scores, len(evaluation.rows)

    facts = {"split": cfg.split, "tta": cfg.tta, "tune_postprocessing": cfg.tune_postprocessing}
    title = f"{cfg.split}, {len(runs)} run{'s' * (len(runs) > 1)}"
    title += f", {FITTED}" * cfg.tune_postprocessing
    return compare(runs, evaluate_run, title, facts, EvaluationFolder(folder))[0].over_runs("mean")


def evaluate_checkpoints(
    paths: list[Path], cfg: DictConfig, folder: Path, run: Path | None = None
) -> tuple[Evaluation, dict[str, Any]]:
    """Score a checkpoint, or the mean of several; write numbers and pictures to ``folder``.

    The scores of each image are printed, except if this is one ``run`` of several. Returns the
    evaluation, and its configuration.
    """
    if any(map(is_package, paths)):
        require_chosen(paths[0], cfg)
    else:
        first, content = read_config(paths[0], cfg)
        require_source(paths[0], content["config"], first)  # before networks are built
    trained = open_trained(paths, cfg)
    config, recorded = trained.config, trained.recorded[0]
    with naming_values_of(paths[0], changed=bool(cfg.get("metric"))):
        metrics = MetricCollection(build_metrics(config), compute_groups=False)
    if not metrics:
        raise ValueError("Without any metric there is nothing to score. Add one: metric=[seg].")
    require_unseen(paths, trained, cfg)
    given = cfg.get("dataset") or {}
    if given.get("object_diameter") is not None:
        raise ValueError(
            f"dataset.object_diameter={given['object_diameter']} was settled in training. For "
            "images of another magnification, give scale=FACTOR, or scale=auto."
        )
    if "pixel_size" in config.dataset:  # that of the images to score, not of the training's
        config.dataset.pixel_size = given.get("pixel_size")
    dataset = build_dataset(config)
    if trained.prepare:
        dataset = Prepared(dataset, trained.prepare)
    scale = parse_scale(cfg.scale)
    if scale is None:
        pixel = getattr(dataset, "pixel_size", None)
        trained_pixel = recorded_pixel_size(recorded["dataset"])
        scale = scale_between(dataset.name, pixel, trained_pixel)
    predictor = trained.predictor.magnified(scale)
    loader = labelled_images(dataset, trained, paths[0], cfg.split)
    # Rank by the score that chose the checkpoint. The loss is not measured here.
    names = [str(name) for name in metrics]
    score = config.monitor.metric if config.monitor.metric in names else names[0]
    tuned = None
    if cfg.tune_postprocessing:
        measures: dict[str, Any] = dict(metrics.items())
        criterion = score_of_instances(measures, score)
        tuned = tune_postprocessing(predictor, measures, loader, criterion)
        predictor.postprocessing = tuned.tuning.postprocessing
    evaluation = score_images(predictor, metrics, loader)
    title = f"{dataset.name}, {cfg.split}"
    facts = {
        "checkpoint": [str(path) for path in paths],
        "tta": cfg.tta,
        "scale": scale,
        "dataset": dataset.name,
        "split": cfg.split,
        "postprocessing": OmegaConf.to_container(trained.postprocessing),
        "fitted_in_training": asdict(trained.fitted) if trained.fitted else None,
        "tuning": tuning_record(tuned) if tuned else None,
    }
    target = EvaluationFolder(folder)
    written = write_results(evaluation, facts, target)
    if cfg.pictures:
        written += draw_curves(evaluation, target.pictures, title)
        written += draw_images(
            evaluation, predictor, loader.dataset, score, cfg.pictures, target.pictures
        )
    written.append(write_evaluation_page(target, score))
    title += f", {len(loader)} image{'s' * (len(loader) != 1)}"
    title += f", {FITTED}" if tuned else f", {FITTED_BEFORE}" if trained.fitted else ""
    if run is None:
        show_images(evaluation, title, score)
        show_summary(evaluation)
    else:
        log.info("%s: %s", run, title)
    for line in tuning_report(tuned) if tuned else [trained.describe_postprocessing()]:
        log.info("%s", line)
    for path in written if run is None else ():
        log.info("%s", path)
    # Runs may also differ in parts that are not built here, such as the optimizer.
    return evaluation, masked({**recorded, **to_plain_data(config)})


def require_chosen(path: Path, cfg: DictConfig) -> None:
    """Raise ValueError if no data set is chosen: a package names none."""
    if "_target_" not in (cfg.get("dataset") or {}):
        raise ValueError(
            f"{path} is a package, which names no images to score. Choose them: dataset=folder "
            "dataset.root=my_images."
        )


def require_source(path: Path, recorded: dict[str, Any], config: DictConfig) -> None:
    """Raise ValueError if the folder of the images is known only from the checkpoint."""
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

    Raises ValueError if there are none, or if their channels do not fit the network.
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
    """Raise ValueError if one of the networks was trained on the validation images."""
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
    """Return the absolute path of a data set's folder; None if it has none."""
    return Path(str(root)).expanduser().resolve() if root else None
