"""A metric of our own: see `unet_exp.metrics.score.Score` for what it needs."""

from torch import Tensor

from unet_exp.metrics.measure import Measure


class CountError(Measure):
    """The mean difference between the numbers of predicted and true objects."""

    higher_is_better = False
    difference: Tensor
    images: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.add_sums("difference", "images")

    def update(self, instances: Tensor, labels: Tensor) -> None:
        """Add an image."""
        counts = [len(image[image > 0].unique()) for image in (instances, labels)]
        self.add(difference=abs(counts[0] - counts[1]), images=1)

    def compute(self) -> Tensor:
        """Return the mean over images."""
        return self.difference / self.images
