"""A running mean of the weights, which is what gets validated and saved."""

import torch
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
        super().__init__(use_buffers=True, multi_avg_fn=self.update)

    @torch.no_grad()
    def update(self, mean: list[Tensor], current: list[Tensor], count: Tensor | int) -> None:
        """Move each tensor of the mean towards the current one."""
        n = float(count)
        get_ema_multi_avg_fn(min(self.decay, (1 + n) / (10 + n)))(mean, current, n)
