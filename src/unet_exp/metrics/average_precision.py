"""Average precision of objects, as in the Data Science Bowl (doi:10.1038/s41592-019-0612-7).

AP at a level of IoU = TP / (TP + FP + FN), where TP are the matched objects; the score is the
mean over the levels 0.5, 0.55, .. 0.95. Objects have no confidence here, so this is not the area
under a precision-recall curve.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from unet_exp.metrics.contingency import object_table
from unet_exp.metrics.object_matching import ObjectMeasure, checked_levels, match_objects

LEVELS = tuple(percent / 100 for percent in range(50, 100, 5))


def average_precision(
    instances: Int[Tensor, "h w"],
    labels: Int[Tensor, "h w"],
    levels: tuple[float, ...] = LEVELS,
) -> Float[Tensor, " levels"]:
    """AP of one image at each level of IoU; NaN where neither image has an object.

    Unknown pixels (label -1) are removed from the predicted objects first. An object that is mostly
    unknown counts neither as right nor as false (see `object_table`).

    >>> labels = torch.tensor([[1, 1, 1, 0, 2, 2]])
    >>> average_precision(torch.tensor([[4, 4, 0, 0, 5, 5]]), labels, (0.5, 0.75))
    tensor([1.0000, 0.3333], dtype=torch.float64)
    """
    matched, predicted, true = match_objects(object_table(instances, labels), levels)
    hits = torch.from_numpy(matched).double()
    return hits / (predicted + true - hits)


class AveragePrecision(ObjectMeasure):
    """Mean over levels of the AP of the objects of all images together.

    Parameters
    ----------
    levels
        IoU from which on objects match, from 0.5 to 1. None means 0.5, 0.55, .. 0.95.

    >>> metric = AveragePrecision([0.5, 0.75])
    >>> metric.update(torch.tensor([[4, 4, 0, 0, 5, 5]]), torch.tensor([[1, 1, 1, 0, 2, 2]]))
    >>> metric.details()
    {'ap_50': 1.0, 'ap_75': 0.333...}
    """

    def __init__(self, levels: list[float] | None = None) -> None:
        super().__init__(LEVELS if levels is None else checked_levels(levels))

    def each(self) -> Float[Tensor, " levels"]:
        """Return AP at each level."""
        return self.matched / (self.predicted + self.true - self.matched)

    def compute(self) -> Float[Tensor, ""]:
        """Average over levels."""
        return self.each().mean()

    def details(self) -> dict[str, float]:
        """Return AP at each level, such as ``ap_50``."""
        names = (f"ap_{round(100 * level)}" for level in self.levels)
        return dict(zip(names, self.each().tolist(), strict=True))
