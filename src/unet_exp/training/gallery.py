"""Draw validation images and their predictions, for the run folder and the loggers."""

from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer

from unet_exp.inference.predictor import Prediction
from unet_exp.pictures.learning_curves import learning_curves
from unet_exp.pictures.prediction_panel import prediction_panel
from unet_exp.training.metrics_writer import MetricsWriter


class Gallery(Callback):
    """Draw the first ``images`` validation images at every ``every``-th validation and the last.

    Each picture shows image, labels, weight map, probability, and the prediction with coloured
    errors. The learning curves follow at the end. Only the first process draws; it validates the
    first images.
    """

    def __init__(
        self, folder: Path, metrics: MetricsWriter, images: int = 2, every: int = 5
    ) -> None:
        if every < 1:
            raise ValueError(f"pictures.every={every}: give 1 or more, or pictures.images=0.")
        self.folder, self.metrics = folder, metrics
        self.images, self.every = images, every
        self.validations = 0
        self.written: list[Path] = []

    def state_dict(self) -> dict[str, Any]:
        return {"validations": self.validations}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.validations = state_dict["validations"]

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.validations += 1

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        last = trainer.should_stop or trainer.global_step >= trainer.max_steps
        chosen = batch_idx < self.images and (last or (self.validations - 1) % self.every == 0)
        if chosen and batch and trainer.is_global_zero:
            self.draw(trainer, outputs["prediction"], batch)

    def draw(self, trainer: Trainer, prediction: Prediction, batch: dict[str, Any]) -> None:
        """Write one picture and log it."""
        name = batch["name"].replace("/", "_")
        path = self.folder / f"{name}_step_{trainer.global_step:06d}.png"
        draw(prediction, batch, path, f"{batch['name']}, step {trainer.global_step}")
        self.written.append(path)
        show(trainer, f"pictures/{name}", path)

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.is_global_zero and self.metrics.rows:
            path = self.folder / "learning_curves.png"
            learning_curves(self.metrics.rows, path)
            self.written.append(path)
            show(trainer, "pictures/learning_curves", path)


def draw(prediction: Prediction, batch: dict[str, Any], path: Path, title: str) -> None:
    """Draw image, labels, weight map, probability, maps and errors of one whole image."""
    by_class = batch["by_class"]
    prediction_panel(
        batch["image"].cpu().numpy(),
        batch["classes" if by_class else "labels"].cpu().numpy(),
        batch["weights"].cpu().numpy(),
        (1 - prediction.probabilities[0]).float().numpy(),
        (prediction.probabilities.argmax(0) if by_class else prediction.instances).numpy(),
        path,
        title=title,
        by_class=by_class,
        maps={name: values.float().numpy() for name, values in prediction.maps.items()},
    )


def show(trainer: Trainer, key: str, path: Path) -> None:
    """Log a picture to each logger that shows pictures."""
    for logger in trainer.loggers:
        kind = type(logger).__name__
        if kind == "WandbLogger":
            logger.log_image(key, [str(path)], step=trainer.global_step)  # pyright: ignore[reportAttributeAccessIssue]
        elif kind == "TensorBoardLogger":
            import matplotlib.image

            picture = torch.from_numpy(matplotlib.image.imread(path)[..., :3])
            logger.experiment.add_image(  # pyright: ignore[reportAttributeAccessIssue]
                key, picture, trainer.global_step, dataformats="HWC"
            )
