"""A running mean of the weights, which is what gets validated and saved."""

import itertools
from typing import Any

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn


class RunningMean(WeightAveraging):
    """Exponential moving average of weights and buffers, young at first and then of ``decay``.

    After n steps the mean forgets at the rate min(decay, (1 + n) / (10 + n)), so that the random
    initial weights are gone from it after some tens of steps.
    """

    def __init__(self, decay: float) -> None:
        if not 0 < decay < 1:
            raise ValueError(f"averaging={decay}: give a decay between 0 and 1, or 0 for none.")
        self.decay = decay
        self.count = 0
        #: The mean's tensors and the network's own, of one type each.
        self.pairs: list[tuple[list[Tensor], list[Tensor]]] = []
        super().__init__(use_buffers=True, multi_avg_fn=self.update)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        # Once: torch's own update walks through all modules at every step, and asks the device for
        # the count three times.
        assert self._average_model is not None  # noqa: S101 - Lightning has set it up
        self.count = int(self._average_model.n_averaged)
        kinds: dict[torch.dtype, tuple[list[Tensor], list[Tensor]]] = {}
        for mean, current in zip(
            tensors(self._average_model.module), tensors(pl_module), strict=True
        ):
            means, currents = kinds.setdefault(mean.dtype, ([], []))
            means.append(mean.detach())
            currents.append(current.detach())
        self.pairs = list(kinds.values())

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, *_: Any, **__: Any
    ) -> None:
        if trainer.global_step <= self._latest_update_step:
            return  # gradients are being accumulated
        assert self._average_model is not None  # noqa: S101
        for mean, current in self.pairs:
            self.update(mean, current, self.count)
        self.count += 1
        self._average_model.n_averaged += 1
        self._latest_update_step = trainer.global_step

    @torch.no_grad()
    def update(self, mean: list[Tensor], current: list[Tensor], count: Tensor | int) -> None:
        """Move each tensor of the mean towards the current one; of the first, take all."""
        n = float(count)
        if n == 0:
            for old, new in zip(mean, current, strict=True):
                old.copy_(new)
        else:
            get_ema_multi_avg_fn(min(self.decay, (1 + n) / (10 + n)))(mean, current, n)


def tensors(module: Any) -> "itertools.chain[Tensor]":
    """Return weights and buffers, in an order that a copy of the module has too."""
    return itertools.chain(module.parameters(), module.buffers())
