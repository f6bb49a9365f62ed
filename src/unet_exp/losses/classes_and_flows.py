"""Cross entropy of classes and squared errors of flows (doi:10.1038/s41592-020-01018-x)."""

from jaxtyping import Float
from torch import Tensor

from unet_exp.losses.classes_and_maps import ClassesAndMaps
from unet_exp.ranges import require_range

#: The network predicts vectors of this length, so that both parts of the loss are of one size.
SCALE = 5.0


class ClassesAndFlows(ClassesAndMaps):
    """Weighted cross entropy of the classes, plus weighted squared errors of 5 times the flow.

    The first channel of the target is the class, the other two are the vector. The last two
    channels of the output predict 5 times the vector, and those before them are the logits of the
    classes.

    Parameters
    ----------
    flow_weight
        Factor of the squared error, which is the mean of both channels. The authors' program takes
        a half.
    reduction
        As for `unet_exp.losses.weighted_cross_entropy.WeightedCrossEntropy`.

    >>> import torch
    >>> output = torch.tensor([0.0, 0.0, 5.0, 2.0]).reshape(1, 4, 1, 1)
    >>> target = torch.tensor([1.0, 1.0, 0.0]).reshape(1, 3, 1, 1)
    >>> ClassesAndFlows()(output, target, torch.ones(1, 1, 1))  # log 2 + (0 + 4) / 4
    tensor(1.6931)
    """

    numbers, channels = "a vector", 3

    def __init__(self, flow_weight: float = 0.5, reduction: str = "mean") -> None:
        require_range(0, flow_weight=flow_weight)
        super().__init__(flow_weight, reduction)

    def errors(
        self, predicted: Float[Tensor, "b m h w"], true: Float[Tensor, "b m h w"]
    ) -> Float[Tensor, "b m h w"]:
        """Return the squared error of each number of the vector."""
        return (predicted - SCALE * true).square()
