"""The network, its loss and its scores as a LightningModule."""

import os
from collections.abc import Callable, Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from lightning.fabric.utilities.data import AttributeDict
from lightning.pytorch import LightningModule
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torchmetrics import Metric, MetricCollection

from unet_exp.inference.overlap_tile import OverlapTile
from unet_exp.inference.predictor import Prediction, Predictor
from unet_exp.targets.target import Target, require_match
from unet_exp.training.mean_loss import MeanLoss
from unet_exp.training.ranks import average, gathered, rank_and_world
from unet_exp.training.schedule import schedule_at, stretch
from unet_exp.training.sharding import gather, scatter, shard, sharded
from unet_exp.training.trained import read_module_arguments, take_all_weights


class SegmentationModule(LightningModule):
    """Train on tiles; validate on whole images with the same code as prediction.

    Parameters
    ----------
    network
        (b, c, H, W) to an output (b, k, h, w).
    target
        What the network learns; it turns the output into probabilities.
    loss
        ``loss(output, target, weights)``.
    metrics
        Metrics by name. The parameters of their ``update`` are any of ``probabilities``,
        ``classes``, ``labels``, ``markers`` and ``instances``.
    inference, postprocessing
        See `Predictor`.
    optimizer, scheduler
        Functions that build them, from the network's parameters and from the optimiser. The
        scheduler steps with the optimiser, or after each validation if it watches ``monitor``.
    config
        Plain data, written into each checkpoint.
    seed
        The random numbers of a step (dropout) depend only on ``seed`` and the number of the step,
        so that a resumed run draws the same ones.

    Examples
    --------
    >>> from unet_exp.losses.weighted_cross_entropy import WeightedCrossEntropy
    >>> from unet_exp.models.unet import UNet
    >>> from unet_exp.postprocessing.components import Components
    >>> from unet_exp.targets.foreground import Foreground
    >>> network, loss = UNet(depth=1, base_channels=2, padding="same"), WeightedCrossEntropy()
    >>> parts = Foreground(), loss, {}, OverlapTile(), Components()
    >>> module = SegmentationModule(network, *parts, optimizer=torch.optim.AdamW)
    >>> module(torch.zeros(1, 1, 16, 16)).shape
    torch.Size([1, 2, 16, 16])
    """

    def __init__(
        self,
        network: nn.Module,
        target: Target,
        loss: nn.Module,
        metrics: Mapping[str, Metric],
        inference: OverlapTile,
        postprocessing: Callable[[Tensor], Tensor],
        optimizer: Callable[..., torch.optim.Optimizer] | None = None,
        scheduler: Callable[..., Any] | None = None,
        monitor: str = "val/loss",
        config: dict[str, Any] | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        require_match(target, network, loss)
        self.network = network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self.target, self.loss = target, loss
        self.metrics = MetricCollection(dict(metrics), compute_groups=False)
        self.inference, self.postprocessing = inference, postprocessing
        self.optimizer, self.scheduler, self.monitor = optimizer, scheduler, monitor
        self.config, self.seed = config or {}, seed
        self.first_bad_step: Tensor | None = None
        self.train_loss, self.val_loss = MeanLoss(), MeanLoss()
        # Lightning steps ReduceLROnPlateau after it has written the checkpoint of a validation. A
        # resumed run would lose that step. So this module does the step and keeps the state.
        self.plateau: ReduceLROnPlateau | None = None
        self.plateau_state: dict[str, Any] = {}
        #: If true, no further batch is trained; the training ends without a validation.
        self.halted = False

    @classmethod
    def load_from_checkpoint(  # pyright: ignore[reportIncompatibleMethodOverride]
        cls,
        checkpoint_path: str | os.PathLike[str],
        map_location: torch.device | str | None = None,
        *,
        optimizer: Callable[..., torch.optim.Optimizer] | None = None,
        scheduler: Callable[..., Any] | None = None,
        trust: Collection[str] = (),
    ) -> Self:
        """Build a module from the configuration and the weights of a checkpoint.

        The file is read as plain data and tensors, and only the project's own options are built.
        The postprocessing has its fitted values, as in ``predict.py``.

        Parameters
        ----------
        checkpoint_path
            A checkpoint that a training of this project wrote.
        map_location
            The device of the module; by default the CPU.
        optimizer, scheduler
            For further training. Those of the checkpoint are not built.
        trust
            Classes of other packages that the checkpoint may build. This runs their code.

        Raises CheckpointError if the checkpoint cannot be used.

        >>> module = SegmentationModule.load_from_checkpoint(
        ...     "best.ckpt", optimizer=partial(torch.optim.AdamW, lr=1e-4)
        ... )  # doctest: +SKIP
        """
        path = Path(checkpoint_path)
        arguments = read_module_arguments(path, trust)
        module = cls(**arguments, optimizer=optimizer, scheduler=scheduler)
        take_all_weights(module, path)
        return module if map_location is None else module.to(map_location)

    @property
    def hparams(self) -> AttributeDict:
        """The configuration."""
        return AttributeDict(self.config)

    @property
    def lr(self) -> float:
        """The initial learning rate of the optimizer; ``Tuner.lr_find`` sets it.

        It does not change a scheduler that sets its own rates (``one_cycle``).
        """
        return self.required_optimizer()(self.network.parameters()).defaults["lr"]

    @lr.setter
    def lr(self, value: float) -> None:
        self.optimizer = partial(self.required_optimizer(), lr=value)
        if "optimizer" in self.config:
            self.config = {**self.config, "optimizer": {**self.config["optimizer"], "lr": value}}

    @property
    def predictor(self) -> Predictor:
        """Predictor of whole images with the present weights of the network."""
        return Predictor([self.network], self.target, self.inference, self.postprocessing)  # pyright: ignore[reportArgumentType]

    def forward(self, image: Tensor) -> Tensor:
        """Return the network's output (b, k, h, w), such as logits, for images (b, c, H, W)."""
        return self.network(image.contiguous(memory_format=torch.channels_last))

    def configure_model(self) -> None:
        if self.device_mesh is not None:
            shard(self.network, self.device_mesh["data_parallel"])

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> int | None:
        if self.halted:
            return -1
        # The number of the batch is included, because a step may accumulate several batches.
        numbers = (self.seed, self.global_step, batch_idx, self.global_rank)
        seed = int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0])
        # torch.manual_seed stores a stack trace for each kind of device that is missing.
        randomness = torch.default_generator if self.device.type == "cpu" else torch
        randomness.manual_seed(seed)
        return None

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor:
        image = batch["image"]
        loss = self.loss(self(image), batch["target"], batch["weights"])
        self.watch(loss.detach())
        # Lightning logs only these steps, and each call takes half a millisecond.
        if (self.global_step + 1) % max(1, self.trainer.log_every_n_steps) == 0:  # pyright: ignore[reportAttributeAccessIssue]
            self.log("train/step_loss", loss.detach(), batch_size=len(image))
        self.train_loss.update(loss.detach())
        return loss

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        # Each process computes the statistics of batch norm from its own tiles. They must be the
        # same in all processes, like the weights.
        average(buffer for buffer in self.network.buffers() if buffer.is_floating_point())

    def watch(self, loss: Tensor) -> None:
        """Remember the first step whose loss is not finite; read from the device only rarely."""
        # torch.tensor would wait for the device.
        step = torch.full((), float(self.global_step), device=loss.device)
        bad = torch.where(loss.isfinite(), torch.inf, step)
        seen = self.first_bad_step
        self.first_bad_step = bad if seen is None else torch.minimum(seen, bad)
        if loss.device.type == "cpu" or self.global_step % 10 == 0:
            self.stop_if_not_finite()

    def stop_if_not_finite(self) -> None:
        """Raise an error if the loss of a step was NaN or infinite; nothing is saved after it."""
        bad = self.first_bad_step
        if bad is not None and bool(bad.isfinite()):
            raise FloatingPointError(
                f"The loss of step {int(bad)} is not finite. Lower optimizer.lr, set "
                "trainer.gradient_clip_val=1, or take trainer.precision=32-true; the last good "
                "checkpoint is checkpoints/last.ckpt in the run folder, if one was reached."
            )

    def on_validation_epoch_start(self) -> None:
        self.stop_if_not_finite()
        gather(self.network)  # each process segments its own images
        self.metrics.reset()
        self.val_loss.reset()

    def validation_step(
        self, batch: dict[str, Any], batch_idx: int
    ) -> dict[str, Prediction] | None:
        return {"prediction": self.score(batch)} if batch else None

    def on_validation_epoch_end(self) -> None:
        scatter(self.network)
        self.stop_if_not_finite()  # before the checkpoints of this validation are written
        self.log_scores("val")
        if self.train_loss.count > 0:
            self.log("train/loss", self.train_loss.compute())
            self.train_loss.reset()
        if self.plateau is not None and not self.trainer.sanity_checking:
            self.plateau.step(self.trainer.callback_metrics[self.monitor])

    def on_test_epoch_start(self) -> None:
        self.on_validation_epoch_start()

    def test_step(self, batch: dict[str, Any], batch_idx: int) -> dict[str, Prediction] | None:
        return self.validation_step(batch, batch_idx)

    def on_test_epoch_end(self) -> None:
        scatter(self.network)
        self.log_scores("test")

    def log_scores(self, prefix: str) -> None:
        """Log the mean loss and the scores of all images since the last reset."""
        self.log(f"{prefix}/loss", self.val_loss.compute())
        self.log_dict({f"{prefix}/{k}": value for k, value in self.metrics.compute().items()})

    def on_predict_epoch_start(self) -> None:
        gather(self.network)

    def predict_step(self, batch: Any, batch_idx: int = 0) -> Prediction | list[Prediction]:
        """Segment a whole image (c, h, w), or each of several (b, c, h, w).

        Parameters
        ----------
        batch
            Images that are normalised as in training, or a dictionary that has them as ``image``.
        """
        images = batch["image"] if isinstance(batch, Mapping) else batch
        predictor = self.predictor
        if images.ndim == 3:
            return predictor.predict(images)
        return [predictor.predict(image) for image in images]

    def on_predict_epoch_end(self) -> None:
        scatter(self.network)

    def score(self, batch: dict[str, Any]) -> Prediction:
        """Segment one labelled image, and update the mean loss and the scores."""

        def add_loss(output: Tensor) -> None:
            loss = self.loss(output[None], batch["target"][None], batch["weights"][None])
            self.watch(loss.detach())
            self.stop_if_not_finite()  # its message has the step, which the predictor does not know
            self.val_loss.update(loss.detach())

        prediction = self.predictor.predict(batch["image"], add_loss)
        self.metrics.update(
            probabilities=prediction.probabilities,
            classes=batch["classes"].cpu(),
            labels=batch["labels"].cpu(),
            markers=batch["markers"].cpu(),
            instances=prediction.instances,
        )
        return prediction

    def configure_optimizers(self) -> OptimizerLRScheduler:
        optimizer = self.required_optimizer()(self.network.parameters())
        if isinstance(optimizer, torch.optim.SGD) and sharded(self.network):
            # With sharded weights, torch has fused steps only for Adam and AdamW.
            for group in optimizer.param_groups:
                group["fused"] = None
        # A fused optimiser can undo the scaling of float16's gradients in its own step. Lightning
        # then never clips its gradients. So this is switched off.
        if getattr(optimizer, "_step_supports_amp_scaling", False):
            optimizer._step_supports_amp_scaling = False  # pyright: ignore[reportAttributeAccessIssue]
        if self.scheduler is None:
            return optimizer
        scheduler = self.scheduler(optimizer)
        if isinstance(scheduler, ReduceLROnPlateau):
            self.plateau = scheduler
            scheduler.load_state_dict(self.plateau_state)
            return optimizer
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": scheduler, "interval": "step"},
        }

    def required_optimizer(self) -> Callable[..., torch.optim.Optimizer]:
        """Return the function that builds the optimizer.

        Raises ValueError if there is none.
        """
        if self.optimizer is None:
            raise ValueError(
                "A module built for prediction has no optimizer. Give it one for training: "
                "optimizer=torch.optim.AdamW, or functools.partial(torch.optim.AdamW, lr=1e-4)."
            )
        return self.optimizer

    def schedule_at(self, step: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Return the state of the scheduler at a step, and its values in the optimiser's groups."""
        if self.optimizer is None or self.scheduler is None:
            raise ValueError("A module without optimizer and scheduler has no schedule.")
        return schedule_at(step, self.network.parameters(), self.optimizer, self.scheduler)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["config"] = self.config
        # Lightning has added a second copy of the configuration.
        checkpoint.pop(self.CHECKPOINT_HYPER_PARAMS_KEY, None)
        checkpoint["plateau"] = self.plateau.state_dict() if self.plateau else {}
        # Between two validations, each process has its own sum of losses.
        sums = torch.stack([self.train_loss.total, self.train_loss.count])
        checkpoint["train_loss"] = gathered(sums).tolist()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.plateau_state = checkpoint.get("plateau", {})
        stretch(checkpoint, self.config, self.schedule_at)
        rank, world = rank_and_world()
        held = torch.tensor(checkpoint.get("train_loss", [[0.0, 0.0]]))
        if len(held) != world:  # resumed with another number of processes
            held = torch.cat([held.sum(0, keepdim=True), held.new_zeros(world - 1, 2)])
        total, count = held[rank].to(self.train_loss.total.device)
        self.train_loss.total, self.train_loss.count = total, count
