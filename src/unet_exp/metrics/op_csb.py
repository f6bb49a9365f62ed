"""OP_CSB, by which the Cell Segmentation Benchmark ranks (doi:10.1038/s41592-023-01879-y).

OP_CSB = (SEG + DET) / 2.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from unet_exp.metrics.contingency import contingency
from unet_exp.metrics.det import Detections, detection_score, detections
from unet_exp.metrics.measure import Measure
from unet_exp.metrics.seg import matched_jaccards


class OPCSB(Measure):
    """Mean of SEG and DET, each over all images.

    >>> metric = OPCSB()
    >>> gold = torch.tensor([[1, 1, 1, 0, 2, 2]])
    >>> metric.update(torch.tensor([[4, 4, 0, 0, 5, 0]]), labels=gold, markers=gold)
    >>> metric.compute()  # (2/3 + 0) / 2, and 1 - (10 + 1) / 20
    tensor(0.3917)
    """

    jaccard_sum: Float[Tensor, ""]
    objects: Int[Tensor, ""]
    splits: Int[Tensor, ""]
    missed: Int[Tensor, ""]
    false: Int[Tensor, ""]
    markers: Int[Tensor, ""]

    def __init__(self) -> None:
        super().__init__()
        self.add_sum("jaccard_sum", dtype=torch.float32)
        for name in ("objects", *Detections._fields):
            self.add_sum(name)

    def update(
        self,
        instances: Int[Tensor, "h w"],
        labels: Int[Tensor, "h w"],
        markers: Int[Tensor, "h w"],
    ) -> None:
        """Match the objects of one image with its gold masks, and with its markers."""
        jaccards, count = matched_jaccards(contingency(instances, labels))
        self.jaccard_sum += float(jaccards.sum())
        self.objects += count
        for name, number in detections(contingency(instances, markers))._asdict().items():
            total = getattr(self, name)
            total += number

    def seg(self) -> Float[Tensor, ""]:
        """SEG, as ``unet_exp.metrics.seg`` has it."""
        return self.jaccard_sum / self.objects

    def det(self) -> Float[Tensor, ""]:
        """DET, as ``unet_exp.metrics.det`` has it."""
        return detection_score(self.splits, self.missed, self.false, self.markers)

    def compute(self) -> Float[Tensor, ""]:
        """Average both."""
        return (self.seg() + self.det()) / 2

    def details(self) -> dict[str, float]:
        """Give ``seg`` and ``det``."""
        return {"seg": float(self.seg()), "det": float(self.det())}
