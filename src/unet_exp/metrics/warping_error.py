"""Warping error of Jain et al. 2010 (doi:10.1109/CVPR.2010.5539950), section 3: topology only.

The truth is warped towards the prediction. The error is the fraction of pixels that remain wrong.
The ISBI 2012 challenge counts only splits and mergers, so a map without any object has no error.
Jain et al. count all errors. Because the truth is warped, a missed object costs one pixel, and a
false object all of its pixels.
"""

from jaxtyping import Bool, Float, Int
from torch import Tensor

from unet_exp.metrics.arguments import check_images
from unet_exp.metrics.threshold_sweep import SplitMergeSweep, foreground
from unet_exp.metrics.topology_errors import TopologyErrors, topology_errors
from unet_exp.metrics.warping import warp


def remaining_errors(
    probabilities: Float[Tensor, "h w"],
    classes: Int[Tensor, "h w"],
    threshold: float = 0.5,
    radius: int | None = 20,
) -> TopologyErrors:
    """Count the known pixels that are wrong after warping the truth towards a map's foreground.

    Unknown pixels (class -1) stay background and are not counted.
    """
    truth, values = classes.cpu().numpy(), probabilities.detach().cpu().float().numpy()
    warped = warp(truth > 0, values, threshold, movable=truth >= 0)
    wrong = (warped != (values > threshold)) & (truth >= 0)
    return topology_errors(warped, wrong, radius)


def warping_error(
    prediction: Bool[Tensor, "h w"], classes: Int[Tensor, "h w"], splits_and_mergers: bool = True
) -> Float[Tensor, ""]:
    """Warping error of a predicted foreground, over the known pixels; NaN if none is known.

    >>> import torch
    >>> classes = torch.tensor([[0, 0, 0, 0, 0], [0, 1, 1, 1, 0], [0, 0, 0, 0, 0]])
    >>> moved = torch.tensor([[0, 0, 0, 0, 0], [1, 1, 1, 0, 0], [0, 0, 0, 0, 0]]).bool()
    >>> split = torch.tensor([[0, 0, 0, 0, 0], [0, 1, 0, 1, 0], [0, 0, 0, 0, 0]]).bool()
    >>> warping_error(moved, classes), warping_error(split, classes)
    (tensor(0.), tensor(0.0667))
    """
    check_images(prediction, classes, batch="WarpingError")
    errors = remaining_errors(prediction.float(), classes)
    counted = errors.splits + errors.mergers + (0 if splits_and_mergers else errors.others)
    return counted / (classes >= 0).sum().cpu()


class WarpingError(SplitMergeSweep):
    """Warping error of all images' pixels together, at the best threshold.

    Parameters
    ----------
    thresholds
        As for `unet_exp.metrics.threshold_sweep.ThresholdSweep`.
    splits_and_mergers
        True gives the challenge's "minimum splits and mergers warping error". With False, missed
        and false objects and holes count as well.
    radius
        Distance in pixels within which splits of an object are searched, see ``topology_errors``.

    >>> import torch
    >>> metric = WarpingError()
    >>> inside = torch.tensor([[0.0, 0.0, 0.0], [0.9, 0.4, 0.9], [0.0, 0.0, 0.0]])
    >>> classes = torch.tensor([[0, 0, 0], [1, 1, 1], [0, 0, 0]])
    >>> metric.update(torch.stack([1 - inside, inside]), classes)
    >>> metric.curve()
    tensor([0.0000, 0.0000, 0.0000, 0.0000, 0.1111, 0.1111, 0.1111, 0.1111, 0.1111,
            0.0000])
    """

    higher_is_better = False
    splits: Int[Tensor, " thresholds"]
    mergers: Int[Tensor, " thresholds"]
    others: Int[Tensor, " thresholds"]
    known: Int[Tensor, ""]

    def __init__(
        self,
        thresholds: list[float] | None = None,
        splits_and_mergers: bool = True,
        radius: int | None = 20,
    ) -> None:
        super().__init__(thresholds)
        if radius is not None and radius < 1:
            raise ValueError(f"radius={radius} sees no neighbour: give 1 or more, or null.")
        self.splits_and_mergers, self.radius = splits_and_mergers, radius
        self.add_sums(*TopologyErrors._fields, size=len(self.thresholds))
        self.add_sums("known")

    def update(self, probabilities: Float[Tensor, "c h w"], classes: Int[Tensor, "h w"]) -> None:
        """Warp the truth of one image at every threshold."""
        inside = foreground(probabilities)
        errors = [remaining_errors(inside, classes, t, self.radius) for t in self.thresholds]
        splits, mergers, others = zip(*errors, strict=True)
        self.add(splits=splits, mergers=mergers, others=others, known=(classes >= 0).sum())

    def curve(self) -> Float[Tensor, " thresholds"]:
        """Return the error at each threshold."""
        others = 0 if self.splits_and_mergers else self.others
        return (self.splits + self.mergers + others) / self.known

    def split_curve(self) -> Float[Tensor, " thresholds"]:
        """Fraction of pixels that split an object, at each threshold."""
        return self.splits / self.known

    def merge_curve(self) -> Float[Tensor, " thresholds"]:
        """Fraction of pixels that merge objects, at each threshold."""
        return self.mergers / self.known

    def details(self) -> dict[str, float]:
        """Return ``threshold``, and the fractions of pixels ``split``, ``merge`` and ``other``."""
        return {**super().details(), "other": float((self.others / self.known)[self.best()])}
