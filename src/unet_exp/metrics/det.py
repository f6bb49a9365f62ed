"""DET of the Cell Tracking Challenge: Matula et al. 2015 (doi:10.1371/journal.pone.0144959).

AOGM-D is the weighted number of corrections that the detections need: 5 for each split of an object
that covers several markers, 10 for each missed marker, and 1 for each object that covers none.
DET = 1 - min(AOGM-D, AOGM-D0) / AOGM-D0, where AOGM-D0 is that of an empty result.
"""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from unet_exp.metrics.contingency import Contingency, contingency
from unet_exp.metrics.measure import Measure
from unet_exp.metrics.object_matching import count_objects, is_found

SPLIT, MISSED, FALSE = 5, 10, 1


class Detections(NamedTuple):
    """Corrections that a result needs, and the number of markers."""

    splits: int
    missed: int
    false: int
    markers: int


def detections(table: Contingency) -> Detections:
    """Count the corrections that one image needs."""
    found = table.predicted[is_found(table)]
    finders, markers = len(np.unique(found)), count_objects(table.truth)
    return Detections(
        splits=len(found) - finders,
        missed=markers - len(found),
        false=count_objects(table.predicted) - finders,
        markers=markers,
    )


def detection_score(
    splits: Int[Tensor, ""],
    missed: Int[Tensor, ""],
    false: Int[Tensor, ""],
    markers: Int[Tensor, ""],
) -> Float[Tensor, ""]:
    """Return DET from the corrections; NaN without markers.

    >>> detection_score(*torch.tensor([1, 1, 5, 10]))  # 1 - (5 + 10 + 5) / 100
    tensor(0.8000)
    """
    cost, empty = SPLIT * splits + MISSED * missed + FALSE * false, MISSED * markers
    return 1 - torch.minimum(cost, empty) / empty


def det(instances: Int[Tensor, "h w"], markers: Int[Tensor, "h w"]) -> Float[Tensor, ""]:
    """Return DET of one image; NaN without markers.

    Unknown pixels (marker -1) are removed from the predicted objects first.

    >>> markers = torch.tensor([[1, 0, 2, 0, 3]])
    >>> det(torch.tensor([[7, 7, 7, 0, 8]]), markers)  # 7 must be split
    tensor(0.8333)
    """
    return detection_score(*torch.tensor(detections(contingency(instances, markers))))


class DET(Measure):
    """DET of the markers of all images.

    >>> metric = DET()
    >>> metric.update(torch.tensor([[4, 0, 5]]), torch.tensor([[1, 2, 0]]))
    >>> metric.compute(), metric.details()
    (tensor(0.4500), {'splits': 0.0, 'missed': 1.0, 'false': 1.0, 'markers': 2.0})
    """

    splits: Int[Tensor, ""]
    missed: Int[Tensor, ""]
    false: Int[Tensor, ""]
    markers: Int[Tensor, ""]

    def __init__(self) -> None:
        super().__init__()
        self.add_sums(*Detections._fields)

    def update(self, instances: Int[Tensor, "h w"], markers: Int[Tensor, "h w"]) -> None:
        """Count the corrections that one image needs."""
        self.add(**detections(contingency(instances, markers))._asdict())

    def compute(self) -> Float[Tensor, ""]:
        """Return DET from the corrections of all images."""
        return detection_score(self.splits, self.missed, self.false, self.markers)

    def details(self) -> dict[str, float]:
        """Return ``splits``, ``missed`` and ``false``, and the number of ``markers``."""
        return {name: float(getattr(self, name)) for name in Detections._fields}
