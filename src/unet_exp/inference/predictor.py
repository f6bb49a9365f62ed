"""From an image of any size to instances: common code of validation, evaluation and prediction.

image -> overlap-tile -> network's output -> target's evidence -> postprocessing -> instances

With ``inference.scale``, the network sees a resized image. The evidence is resized to the size of
the image, so all results have that size.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int32
from torch import Tensor

from unet_exp.images.resampling import resampled, resized, resized_length, shares
from unet_exp.inference.overlap_tile import OverlapTile, Span
from unet_exp.inference.tta import CHOICES, transformed_images
from unet_exp.models.network import Network
from unet_exp.ranges import require_choice
from unet_exp.targets.target import Meaning, turned


@dataclass
class Prediction:
    """The result for one whole image; tensors of the image's size, on the CPU.

    Attributes
    ----------
    evidence
        The network's output, converted by the target: the probabilities of the classes, background
        first, and the maps of the target.
    instances
        Objects, numbered from 1; 0 is the background.
    names
        Names of the maps.
    """

    evidence: Float[Tensor, "k h w"]
    instances: Int32[Tensor, "h w"]
    names: Sequence[str] = ()

    @property
    def probabilities(self) -> Float[Tensor, "c h w"]:
        """The probabilities of the classes."""
        return self.evidence[: len(self.evidence) - len(self.names)]

    @property
    def maps(self) -> dict[str, Float[Tensor, "h w"]]:
        """The maps of the evidence (all channels except the probabilities), by name."""
        maps = self.evidence[len(self.evidence) - len(self.names) :]
        return dict(zip(self.names, maps, strict=True))


class Predictor:
    """Segment images with one network, or with the mean of several.

    Parameters
    ----------
    networks
        Networks in evaluation mode, on one device. Their evidence is averaged.
    target
        The target that the networks have learned. It converts their output to evidence.
    inference
        The overlap-tile strategy, and the factor by which images are resized for the networks.
    postprocessing
        Converts evidence to instances. Its lengths are in pixels of the image.
    tta
        Test-time augmentation, the mean over transformed images: ``none``, ``rotations`` or
        ``dihedral`` (see :func:`unet_exp.inference.tta.transformed_images`).

    Raises ValueError if ``tta`` is not known, or if the tile is too small for the networks'
    context.

    >>> from unet_exp.models.unet import UNet
    >>> from unet_exp.targets.foreground import Foreground
    >>> networks = [UNet(depth=1, base_channels=2).eval() for _ in range(2)]
    >>> predictor = Predictor(networks, Foreground(), OverlapTile(), None)
    >>> predictor.evidence(torch.rand(1, 30, 40)).sum(0).allclose(torch.ones(30, 40))
    True
    """

    def __init__(
        self,
        networks: Sequence[Network],
        target: Meaning,
        inference: OverlapTile,
        postprocessing: Any,
        tta: str = "none",
    ) -> None:
        self.networks = list(networks)
        self.target, self.inference = target, inference
        self.postprocessing, self.tta = postprocessing, tta
        require_choice("tta", tta, CHOICES)
        self.regions(1, 1)  # refuses a tile that is too small

    def magnified(self, factor: float) -> "Predictor":
        """Return a predictor that enlarges images by an additional ``factor``.

        ``factor=0.5`` is for images in which objects are twice as wide as in the training images.
        The lengths of the postprocessing are adapted to the objects.
        """
        if factor == 1:
            return self
        given = self.inference
        inference = OverlapTile(given.tile, given.batch_size, given.scale * factor)
        fitting = getattr(self.postprocessing, "magnified", None)
        postprocessing = fitting(1 / factor) if fitting else self.postprocessing
        return Predictor(self.networks, self.target, inference, postprocessing, self.tta)

    def with_postprocessing(self, postprocessing: Any) -> "Predictor":
        """Return the same predictor with another postprocessing."""
        return Predictor(self.networks, self.target, self.inference, postprocessing, self.tta)

    def predict(self, image: Any, on_output: Callable[[Tensor], Any] | None = None) -> Prediction:
        """Segment one whole image (c, h, w), a tensor or an array.

        ``on_output`` gets each output (k, h, w) before it is converted to evidence, as float32 on
        the networks' device. Validation computes the loss from it.
        """
        evidence = self.evidence(image, on_output=on_output)
        return Prediction(evidence, self.postprocessing(evidence), self.target.maps)

    @torch.inference_mode()
    def evidence(
        self,
        image: Any,
        region: tuple[Span, Span] | None = None,
        on_output: Callable[[Tensor], Any] | None = None,
    ) -> Float[Tensor, "k h w"]:
        """Return the evidence for an image, or for a region of it, on the CPU.

        Raises ValueError if they are not finite.
        """
        image = image.cpu().numpy() if isinstance(image, Tensor) else image
        region = region or ((0, image.shape[-2]), (0, image.shape[-1]))
        if self.inference.scale == 1:
            return self._evidence(image, region, on_output)
        size = self.shown_size(*image.shape[-2:])
        rows, columns = (
            shares(part, shown, real)
            for part, shown, real in zip(region, size, image.shape[-2:], strict=True)
        )
        found = self._evidence(resized(image, *size), (rows.span, columns.span), on_output)
        return torch.from_numpy(resampled(found.numpy(), rows, columns))

    def shown_size(self, height: int, width: int) -> tuple[int, int]:
        """Return the height and width of an image as the networks see it."""
        scale = self.inference.scale
        return resized_length(height, scale), resized_length(width, scale)

    def _evidence(
        self, image: Any, region: tuple[Span, Span], on_output: Callable[[Tensor], Any] | None
    ) -> Float[Tensor, "k h w"]:
        """Return the mean evidence for a region of an image that is not resized."""
        total, passes = torch.zeros(1), 0
        for transformed in transformed_images(self.tta, image):
            for network in self.networks:
                output = self.inference(network, transformed, transformed.footprint(*region))
                output = output.float()
                if on_output is not None:
                    on_output(output)
                evidence = self.target.evidence(output[None])[0].cpu().numpy()
                restored = transformed.restored(evidence, *region)
                restored = turned(self.target, restored, transformed.matrix)
                total = total + torch.from_numpy(restored.copy())
                passes += 1
        mean = total / passes
        if not bool(mean.isfinite().all()):
            raise ValueError(
                "The network gives probabilities that are no finite numbers. Either its weights "
                "are not (its training diverged), or the image's values are far outside of those "
                "that it was trained on."
            )
        return mean

    def write_instances(self, evidence: Any, out: Any) -> int:
        """Write the instances of a page to ``out``, and return their largest number.

        Both are arrays that are read and written by slices. The page is processed block by block if
        the postprocessing supports it, otherwise as a whole.
        """
        if hasattr(self.postprocessing, "in_blocks"):
            return self.postprocessing.in_blocks(evidence, out)
        whole = torch.from_numpy(np.asarray(evidence[:, :, :]))
        found = np.asarray(self.postprocessing(whole))
        out[:, :] = found
        return int(found.max(initial=0))

    def regions(self, height: int, width: int) -> list[tuple[Span, Span]]:
        """Return regions of an image whose evidence fits into memory, in reading order."""
        return self.inference.regions(self.networks[0], height, width, self.tta != "none")
