"""From images of any size to probabilities and instances, by one network or the mean of several."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int32
from torch import Tensor

from unet_exp.inference.overlap_tile import OverlapTile, Span
from unet_exp.inference.views import CHOICES, views
from unet_exp.models.network import Network
from unet_exp.ranges import require_choice


@dataclass
class Prediction:
    """What is made of one whole image; tensors of the image's size, on the CPU."""

    probabilities: Float[Tensor, "k h w"]
    instances: Int32[Tensor, "h w"]


class Predictor:
    """Trained networks with all that turns an image into instances.

    Parameters
    ----------
    networks
        In evaluation mode, on one device; the mean of their probabilities counts.
    probabilities
        Logits (b, k, h, w) to probabilities of classes, as the loss that trained them has it.
    inference
        The overlap-tile strategy.
    postprocessing
        Probabilities to instances.
    tta
        ``none``, or whose mean counts: ``rotations`` or ``dihedral`` (see
        :func:`unet_exp.inference.views.views`).

    Raises
    ------
    ValueError
        If ``tta`` is not known, or the tile has no room for the networks' context.

    >>> from unet_exp.models.unet import UNet
    >>> networks = [UNet(depth=1, base_channels=2).eval() for _ in range(2)]
    >>> predictor = Predictor(networks, lambda logits: logits.softmax(1), OverlapTile(), None)
    >>> predictor.probabilities(torch.rand(1, 30, 40)).sum(0).allclose(torch.ones(30, 40))
    True
    """

    def __init__(
        self,
        networks: Sequence[Network],
        probabilities: Callable[[Tensor], Tensor],
        inference: OverlapTile,
        postprocessing: Any,
        tta: str = "none",
    ) -> None:
        self.networks = list(networks)
        self.to_probabilities, self.inference = probabilities, inference
        self.postprocessing, self.tta = postprocessing, tta
        require_choice("tta", tta, CHOICES)
        self.regions(1, 1)  # refuses a tile that is too small

    def predict(self, image: Any) -> Prediction:
        """Segment one whole image (c, h, w), a tensor or an array."""
        probabilities = self.probabilities(image)
        return Prediction(probabilities, self.postprocessing(probabilities))

    @torch.inference_mode()
    def probabilities(
        self, image: Any, region: tuple[Span, Span] | None = None
    ) -> Float[Tensor, "k h w"]:
        """Probabilities of an image's pixels, or of those in a region, on the CPU.

        Raises
        ------
        ValueError
            If they are not finite.
        """
        image = image.cpu().numpy() if isinstance(image, Tensor) else image
        region = region or ((0, image.shape[-2]), (0, image.shape[-1]))
        total, passes = torch.zeros(1), 0
        for view in views(self.tta, image):
            for network in self.networks:
                logits = self.inference(network, view, view.footprint(*region))
                there = self.to_probabilities(logits.float()[None])[0].cpu()
                total = total + torch.from_numpy(view.restored(there.numpy(), *region).copy())
                passes += 1
        mean = total / passes
        if not bool(mean.isfinite().all()):
            raise ValueError(
                "The network gives probabilities that are no finite numbers. Either its weights "
                "are not (its training diverged), or the image's values are far outside of those "
                "that it was trained on."
            )
        return mean

    def regions(self, height: int, width: int) -> list[tuple[Span, Span]]:
        """Regions of an image whose probabilities fit into memory, in reading order."""
        return self.inference.regions(self.networks[0], height, width, self.tta != "none")
