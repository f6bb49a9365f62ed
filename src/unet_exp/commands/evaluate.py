"""Score a trained network on whole images: ``python evaluate.py run=outputs/runs/NAME/STAMP``."""

import csv
import io
import logging
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from unet_exp.commands.entry import launch, listed

if TYPE_CHECKING:
    from torchmetrics import MetricCollection

    from unet_exp.inference.predictor import Predictor

log = logging.getLogger(__name__)


def evaluate(cfg: DictConfig) -> dict[str, float]:
    """Print and save the scores of every image of a split and of all together.

    Raises
    ------
    ValueError
        If not exactly one of ``checkpoint`` and ``run`` is given, the split has no labels, or its
        images have other channels than the network takes.
    """
    from unet_exp.commands.build import build_dataset, build_loaders, load
    from unet_exp.training.record import environment, to_json, write_atomically

    paths = chosen_checkpoints(cfg)
    trained = load(paths, cfg)
    config, predictor, metrics = trained.config, trained.predictor, trained.metrics
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
    folder = Path(HydraConfig.get().runtime.output_dir)
    rows = list(score_images(predictor, metrics, loader))
    overall = {name: float(value) for name, value in metrics.compute().items()}
    write_atomically(folder / "per_image.csv", to_csv(rows))
    content = {
        "checkpoint": [str(path) for path in paths],
        "tta": cfg.tta,
        "split": cfg.split,
        "images": len(rows),
        "scores": overall,
        **environment(),
    }
    write_atomically(folder / "evaluation.json", to_json(content))
    pictures = draw_extremes(predictor, loader, rows, config.monitor, cfg.pictures, folder)
    show(rows, overall, cfg.split)
    for line in (folder / "evaluation.json", folder / "per_image.csv", *pictures):
        log.info("%s", line)
    return overall


def chosen_checkpoints(cfg: DictConfig) -> list[Path]:
    """Return the checkpoints to score together, given themselves or by a run folder."""
    if bool(cfg.run) == bool(cfg.checkpoint):
        raise ValueError("Give one of run=FOLDER and checkpoint=FILE.")
    if cfg.checkpoint:
        return listed(cfg.checkpoint)
    folder = Path(str(cfg.run))
    if not folder.is_dir():
        raise FileNotFoundError(f"No run folder at {folder}. Runs lie in outputs/runs/NAME/STAMP.")
    return [folder / "checkpoints" / "best.ckpt"]


def score_images(
    predictor: "Predictor", metrics: "MetricCollection", loader: Any
) -> Iterator[dict[str, Any]]:
    """Yield name and scores of each image; ``metrics`` gathers all of them."""
    from rich.progress import track

    single = metrics.clone()
    metrics.reset()
    for batch in track(
        loader, description="images", transient=True, disable=not sys.stdout.isatty()
    ):
        prediction = predictor.predict(batch["image"])
        seen = {
            "probabilities": prediction.probabilities,
            "target": batch["target"],
            "labels": batch["labels"],
            "markers": batch["markers"],
            "instances": prediction.instances,
        }
        metrics.update(**seen)
        single.reset()
        single.update(**seen)
        yield {"name": batch["name"], **{k: float(v) for k, v in single.compute().items()}}


def draw_extremes(
    predictor: "Predictor",
    loader: Any,
    rows: list[dict[str, Any]],
    monitor: DictConfig,
    count: int,
    folder: Path,
) -> list[Path]:
    """Draw the ``count`` worst and best images by the score that chose the checkpoint."""
    from unet_exp.training.gallery import draw

    better = 1 if monitor.mode == "max" else -1
    scores = [rows[i].get(monitor.metric, math.nan) for i in range(len(rows))]
    scored = [i for i in range(len(rows)) if math.isfinite(scores[i])]
    order = sorted(scored, key=lambda i: better * scores[i])
    chosen = {i: f"worst_{place + 1}" for place, i in enumerate(order[:count])}
    for place, i in enumerate(order[::-1][:count]):
        chosen.setdefault(i, f"best_{place + 1}")
    paths = []
    for i, role in chosen.items():
        batch = loader.dataset[i]
        prediction = predictor.predict(batch["image"])
        name = rows[i]["name"].replace("/", "_")
        paths.append(folder / "pictures" / f"{role}_{name}.png")
        score = rows[i].get(monitor.metric, float("nan"))
        draw(prediction, batch, paths[-1], f"{rows[i]['name']}: {monitor.metric} {score:.3f}")
    return sorted(paths)


def to_csv(rows: list[dict[str, Any]]) -> str:
    """Return rows as the text of a CSV file."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def show(rows: list[dict[str, Any]], overall: dict[str, float], split: str) -> None:
    """Print the table: a line per image, and one for all."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"{split}, {len(rows)} image{'s' * (len(rows) > 1)}")
    table.add_column("image")
    for name in overall:
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(row["name"], *(f"{row[name]:.4f}" for name in overall))
    table.add_section()
    table.add_row("all", *(f"{value:.4f}" for value in overall.values()))
    Console().print(table)


def main() -> None:
    """Entry point of ``evaluate.py`` and ``unet-evaluate``."""
    launch(evaluate, "evaluate")


if __name__ == "__main__":
    main()
