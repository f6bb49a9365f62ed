"""Base class of the metrics: their state consists of sums; without data they are NaN."""

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from unet_exp.metrics.arguments import image_by_image


class Measure(Metric):
    """A metric whose state consists of sums, so that images and processes may come in any order.

    Without any image ``compute`` returns NaN. Subclasses write ``update`` for one image; it takes
    a batch as well (see `arguments.image_by_image`).
    """

    is_differentiable = False
    higher_is_better = True
    full_state_update = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "update" in cls.__dict__:
            cls.update = image_by_image(cls.update)

    @property
    def update_called(self) -> bool:
        """True, so that ``compute`` without data returns NaN without a warning."""
        return True

    def details(self) -> dict[str, float]:
        """Return additional numbers by name, for the data that this process has seen.

        Within ``self.sync_context()``, they are for the data of all processes.
        """
        return {}

    def add_sums(
        self, *names: str, size: int | None = None, dtype: torch.dtype = torch.int64
    ) -> None:
        """Add states that are sums, starting from 0: numbers, or vectors of ``size``.

        Counts are exact in int64. Scores are float32, because not every device has float64.
        """
        for name in names:
            zeros: Tensor = torch.zeros([] if size is None else size, dtype=dtype)
            self.add_state(name, zeros, dist_reduce_fx="sum")

    def add(self, **amounts: Any) -> None:
        """Add numbers, or vectors of them, to the sums of these names."""
        for name, amount in amounts.items():
            total: Tensor = getattr(self, name)
            setattr(self, name, total + torch.as_tensor(amount).to(total))
