"""Kinds of errors of objects: missed, false, merged, split, and a wrong outline.

The kinds are those of Caicedo et al. 2019 (doi:10.1002/cyto.a.23863). Each object counts once.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor

from unet_exp.metrics.contingency import Contingency, object_table, region_sizes
from unet_exp.metrics.measure import Measure

#: An object belongs to another one if that covers more than this fraction of it.
MOST = 0.5
#: A true object is missed if no predicted object covers this fraction of it.
SEEN = 0.1


class Errors(NamedTuple):
    """Numbers of true objects by kind, and the number of false predicted objects."""

    found: int
    """True objects that match a predicted one at an IoU of one half or more."""
    merged: int
    """True objects covered by a predicted one that also covers most of another true object."""
    split: int
    """True objects that contain several predicted ones, each mostly inside."""
    missed: int
    """True objects of which no predicted object covers a tenth."""
    outline: int
    """All other true objects: there is a predicted object, but of another size or position."""
    false: int
    """Predicted objects without a match that are mostly on background."""


def object_errors(instances: Int[Tensor, "h w"], labels: Int[Tensor, "h w"]) -> Errors:
    """Sort the true and the predicted objects of one image by kind of error.

    Unknown pixels (label -1) are removed from the predicted objects first. An object that is mostly
    unknown counts neither as right nor as false (see `object_table`).

    >>> import torch
    >>> labels = torch.tensor([[1, 1, 0, 2, 2, 0, 3, 3, 0, 0]])
    >>> object_errors(torch.tensor([[4, 4, 4, 4, 4, 0, 0, 0, 0, 5]]), labels)
    Errors(found=0, merged=2, split=0, missed=1, outline=0, false=1)
    """
    sorted_ = sort_objects(object_table(instances, labels))
    return Errors(**{kind: len(objects) for kind, objects in sorted_.items()})


def sizes_by_kind(
    instances: Int[Tensor, "h w"], labels: Int[Tensor, "h w"]
) -> dict[str, list[int]]:
    """Return the sizes in pixels of true objects by kind, and those of false objects.

    >>> import torch
    >>> labels = torch.tensor([[1, 1, 0, 2, 2, 2]])
    >>> found = sizes_by_kind(torch.tensor([[4, 4, 0, 0, 0, 0]]), labels)
    >>> found["found"], found["missed"], found["false"]
    ([2], [3], [])
    """
    table = object_table(instances, labels)
    truth, predicted, pixels = table
    of_truth = dict(zip(truth.tolist(), region_sizes(truth, pixels).tolist(), strict=True))
    of_predicted = dict(
        zip(predicted.tolist(), region_sizes(predicted, pixels).tolist(), strict=True)
    )
    sizes = {kind: of_predicted if kind == "false" else of_truth for kind in Errors._fields}
    return {
        kind: [sizes[kind][number] for number in sorted(objects)]
        for kind, objects in sort_objects(table).items()
    }


def sort_objects(table: Contingency) -> dict[str, set[int]]:
    """Return the numbers of the objects of a contingency table by their kind in :class:`Errors`."""
    truth, predicted, pixels = table
    of_truth, of_predicted = region_sizes(truth, pixels), region_sizes(predicted, pixels)
    both = (truth > 0) & (predicted > 0)
    match = both & (2 * pixels >= of_truth + of_predicted - pixels)
    found, used = set(truth[match].tolist()), set(predicted[match].tolist())
    covers = both & (pixels > MOST * of_truth)
    owners, counts = np.unique(predicted[covers], return_counts=True)
    merged = set(truth[covers & np.isin(predicted, owners[counts > 1])].tolist()) - found
    inside = both & (pixels > MOST * of_predicted)
    owners, counts = np.unique(truth[inside], return_counts=True)
    split = set(owners[counts > 1].tolist()) - found - merged
    seen = set(truth[both & (pixels >= SEEN * of_truth)].tolist())
    true = set(truth[truth > 0].tolist())
    missed = true - seen - found - merged - split
    outside = (truth == 0) & (predicted > 0) & (pixels > MOST * of_predicted)
    false = set(predicted[outside].tolist()) - used - set(predicted[covers].tolist())
    outline = true - found - merged - split - missed
    return {
        "found": found, "merged": merged, "split": split, "missed": missed, "outline": outline,
        "false": false,
    }  # fmt: skip


class ObjectErrors(Measure):
    """Number of errors divided by the number of true objects, over all images; 0 is best.

    >>> import torch
    >>> metric = ObjectErrors()
    >>> metric.update(torch.tensor([[4, 4, 4, 4, 4]]), torch.tensor([[1, 1, 0, 2, 2]]))
    >>> metric.compute(), metric.details()["merged"]
    (tensor(1.), 2.0)
    """

    higher_is_better = False
    counts: Int[Tensor, "6"]

    def __init__(self) -> None:
        super().__init__()
        self.add_sums("counts", size=len(Errors._fields))

    def update(self, instances: Int[Tensor, "h w"], labels: Int[Tensor, "h w"]) -> None:
        """Count the errors of one image."""
        self.add(counts=object_errors(instances, labels))

    def compute(self) -> Float[Tensor, ""]:
        """Return all errors over all true objects."""
        return self.counts[1:].sum() / self.counts[:5].sum()

    def details(self) -> dict[str, float]:
        """Return the number of objects of each kind, such as ``merged``."""
        return dict(zip(Errors._fields, map(float, self.counts.tolist()), strict=True))
