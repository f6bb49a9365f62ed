"""Exponential moving average (EMA) of the weights, which is validated and saved."""

import torch
from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn

#: As AveragedModel passes them.
Tensors = tuple[Tensor, ...] | list[Tensor]


class WeightEMA(WeightAveraging):
    """EMA of weights and buffers, with a decay that rises to ``decay``.

    After n steps, the decay is min(decay, (1 + n) / (10 + n)). So the random initial weights lose
    their influence after some tens of steps.

    Raises ValueError if ``decay`` is not between 0 and 1.
    """

    def __init__(self, decay: float) -> None:
        if not 0 < decay < 1:
            raise ValueError(f"ema_decay={decay}: give a value between 0 and 1, or 0 for no EMA.")
        self.decay = decay
        super().__init__(use_buffers=True, multi_avg_fn=self.update)

    @torch.no_grad()
    def update(self, averages: Tensors, current: Tensors, steps: Tensor | int) -> None:
        """Move the averages towards the current values, after ``steps`` earlier updates."""
        n = float(steps)
        get_ema_multi_avg_fn(min(self.decay, (1 + n) / (10 + n)))(averages, current, n)
