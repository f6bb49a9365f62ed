"""Adapter for networks of other libraries, such as MONAI and segmentation_models_pytorch."""

from jaxtyping import Float
from torch import Tensor, nn

from unet_exp.geometry import mirror_pad
from unet_exp.models.network import require_channels
from unet_exp.ranges import require_range


class Padded(nn.Module):
    """A network that keeps the image's size, for images of any size.

    Shape: (b, in_channels, h, w) -> (b, out_channels, h, w). The image is mirrored below and to
    the right up to a multiple of ``step``, and the output is cropped.

    Parameters
    ----------
    network
        Any module that maps (b, in_channels, h, w) to (b, out_channels, h, w), where h and w are
        multiples of ``step``.
    step
        Product of the network's strides: 2 for each pooling.
    halo
        Context in pixels that an output pixel depends on, at each side. It is rounded up to a
        multiple of ``step``. If the halo is too small, there are seams between tiles.
    in_channels, out_channels
        Channels of the image and of the output.

    Examples
    --------
    The first convolution sees 1 pixel to each side, the pooling 1, the second convolution 2:

    >>> import torch
    >>> layers = nn.Sequential(
    ...     nn.Conv2d(1, 4, 3, padding=1), nn.MaxPool2d(2), nn.Conv2d(4, 8, 3, padding=1),
    ...     nn.Upsample(scale_factor=2), nn.Conv2d(8, 2, 1),
    ... )
    >>> network = Padded(layers, step=2, halo=4)
    >>> network(torch.zeros(1, 1, 61, 97)).shape
    torch.Size([1, 2, 61, 97])
    """

    padding = "same"

    def __init__(
        self,
        network: nn.Module,
        step: int,
        halo: int,
        in_channels: int = 1,
        out_channels: int = 2,
    ) -> None:
        super().__init__()
        require_range(1, step=step)
        require_range(0, halo=halo)
        require_range(1, in_channels=in_channels, out_channels=out_channels)
        self.network = network
        self.step, self.halo = step, -(-halo // step) * step
        self.in_channels, self.out_channels = in_channels, out_channels

    def forward(self, image: Float[Tensor, "b c h w"]) -> Float[Tensor, "b k h w"]:
        """Output of the network for every pixel."""
        require_channels(image, self.in_channels)
        height, width = image.shape[-2:]
        padded = mirror_pad(image, 0, -height % self.step, 0, -width % self.step)
        output = self.network(padded)
        expected = (image.shape[0], self.out_channels, *padded.shape[-2:])
        if output.shape != expected:
            raise ValueError(
                f"For images of shape {tuple(padded.shape)} the network returned "
                f"{tuple(output.shape)}, not {expected}. Correct out_channels="
                f"{self.out_channels} or step={self.step}, or let the network keep the size."
            )
        return output[..., :height, :width]

    def output_size(self, size: int) -> int:
        """Output pixels along an axis of ``size`` pixels: the same number."""
        require_range(1, size=size)
        return size

    def fitting_sizes(self, size: int) -> tuple[int | None, int]:
        """Nearest multiples of ``step``: the largest <= size, or None, and the smallest >= size.

        >>> Padded(nn.Identity(), step=16, halo=0).fitting_sizes(100)
        (96, 112)
        """
        below, above = size // self.step * self.step, -(-size // self.step) * self.step
        return below or None, above or self.step
