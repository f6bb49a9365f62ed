"""OP_CSB, the ranking score of the Cell Segmentation Benchmark (doi:10.1038/s41592-023-01879-y).

OP_CSB = (SEG + DET) / 2.
"""

from jaxtyping import Float, Int
from torch import Tensor

from unet_exp.metrics.det import DET
from unet_exp.metrics.seg import SEG


class OPCSB(SEG, DET):
    """Mean of SEG and DET, each over all images.

    >>> import torch
    >>> metric = OPCSB()
    >>> gold = torch.tensor([[1, 1, 1, 0, 2, 2]])
    >>> metric.update(torch.tensor([[4, 4, 0, 0, 5, 0]]), labels=gold, markers=gold)
    >>> metric.compute()  # (2/3 + 0) / 2, and 1 - (10 + 1) / 20
    tensor(0.3917)
    """

    def update(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        instances: Int[Tensor, "h w"],
        labels: Int[Tensor, "h w"],
        markers: Int[Tensor, "h w"],
    ) -> None:
        """Match the objects of one image with its gold masks, and with its markers."""
        SEG.update(self, instances, labels)
        DET.update(self, instances, markers)

    def compute(self) -> Float[Tensor, ""]:
        """Average both."""
        return (SEG.compute(self) + DET.compute(self)) / 2

    def details(self) -> dict[str, float]:
        """Return ``seg`` and ``det``."""
        return {"seg": float(SEG.compute(self)), "det": float(DET.compute(self))}
