"""What all measures share: sums as state (torchmetrics), and NaN where nothing was measured."""

import torch
from torch import Tensor
from torchmetrics import Metric


class Measure(Metric):
    """A metric whose state is sums: processes, shards and images add up in any order.

    ``compute`` is defined at any time: without a single scored image it is NaN.
    """

    is_differentiable = False
    higher_is_better = True
    full_state_update = False

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
