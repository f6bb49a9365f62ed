"""What all measures share: sums as state (torchmetrics), and NaN where nothing was measured."""

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from unet_exp.metrics.arguments import image_by_image


class Measure(Metric):
    """A metric whose state is sums: processes, shards and images add up in any order.

    ``compute`` is defined at any time: without a single scored image it is NaN. ``update`` is
    written for one image, and takes a batch as well: see `arguments.image_by_image`.
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
        """True, so that ``compute`` on no data answers NaN instead of warning."""
        return True

    def details(self) -> dict[str, float]:
        """Further numbers behind the score of what this process has seen, by name.

        Within ``self.sync_context()``, of what all processes have seen.
        """
        return {}

    def add_sum(self, name: str, size: int | None = None, dtype: torch.dtype = torch.int64) -> None:
        """Declare a state, one number or a vector of ``size``, that starts at 0 and adds up.

        Counts are int64, hence exact; scores are float32, as not every device has float64.
        """
        zeros: Tensor = torch.zeros([] if size is None else size, dtype=dtype)
        self.add_state(name, zeros, dist_reduce_fx="sum")
