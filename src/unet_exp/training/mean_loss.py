"""The mean loss of a validation, or between two of them."""

import torch
from torch import Tensor

from unet_exp.metrics.measure import Measure


class MeanLoss(Measure):
    """Mean loss of batches or images over all processes; NaN if there are none."""

    higher_is_better = False
    total: Tensor
    count: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.add_sums("total", "count", dtype=torch.float32)

    def update(self, loss: Tensor) -> None:
        self.total = self.total + loss
        self.count = self.count + 1

    def compute(self) -> Tensor:
        return self.total / self.count
