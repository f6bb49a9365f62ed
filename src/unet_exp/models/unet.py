"""U-Net (figure 1 of Ronneberger, Fischer and Brox 2015, arXiv:1505.04597)."""

import math
from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from unet_exp.geometry import centre_crop, mirror_pad
from unet_exp.models.activations import ACTIVATIONS
from unet_exp.models.initial_weights import draw_weights
from unet_exp.models.network import require_channels
from unet_exp.ranges import require_choice, require_range

NORMS: dict[str, Callable[[int], nn.Module] | None] = {
    "none": None,
    "batch": nn.BatchNorm2d,
    "group": lambda channels: nn.GroupNorm(math.gcd(8, channels), channels),
    "instance": partial(nn.InstanceNorm2d, affine=True),
}


class UNet(nn.Module):
    """By default, the article's network: unpadded, 572 x 572 pixels in, 388 x 388 out.

    Shape: (b, in_channels, h, w) -> (b, out_channels, h', w'), logits. With ``padding="valid"``,
    h' = ``output_size(h)``, and a side that does not fit raises ``ValueError``. With
    ``padding="same"``, any size is accepted and kept: the image is mirrored below and to the right
    up to a multiple of ``step``, and the logits are cropped.

    Parameters
    ----------
    in_channels, out_channels
        Channels of image and of logits.
    depth
        Number of 2 x 2 max poolings.
    base_channels
        Channels of the first level; each pooling doubles them.
    padding
        ``valid``: unpadded convolutions. ``same``: padded with zeros.
    norm
        ``none``, ``batch``, ``group`` (8 groups, or as many as divide the channels) or
        ``instance``, between each 3 x 3 convolution (then without bias) and its activation.
    dropout
        Probability of dropout at the end of the contracting path. The article does not say where
        that is. As in the authors' published network, it is after the two deepest levels, before
        the pooling and the copy.
    upsampling
        ``transposed``: a 2 x 2 up-convolution. ``bilinear``: a 1 x 1 convolution that halves the
        channels, then interpolation. The two steps commute, and this order needs a quarter of the
        time. Without padding, the outermost interpolated pixels are cut, because they depend on
        the border.
    activation
        ``relu``, ``leaky_relu``, ``elu``, ``gelu``, ``silu`` or ``scaled_tanh``.

    Attributes
    ----------
    step
        2**depth. If an image is shifted by a multiple of ``step``, its logits are shifted equally.
    halo
        Context in pixels on each side of a tile. A tile of fitting side that starts at a multiple
        of ``step`` has the same logits as the whole image, except for its outermost ``halo``
        pixels. Without padding, the halo is (input - output) / 2, which is 92 for the article. With
        padding, it is a multiple of ``step``; at depth 4 it is 96. (A single logit may see up to
        ``halo + step - 1`` pixels to one side and fewer to the other.)

    Examples
    --------
    >>> unet = UNet(base_channels=2)
    >>> unet(torch.zeros(1, 1, 572, 572)).shape
    torch.Size([1, 2, 388, 388])
    >>> UNet(base_channels=2, padding="same")(torch.zeros(1, 1, 100, 37)).shape
    torch.Size([1, 2, 100, 37])
    """

    def __init__(
        self,
        in_channels: int = 1,
        out_channels: int = 2,
        depth: int = 4,
        base_channels: int = 64,
        padding: str = "valid",
        norm: str = "none",
        dropout: float = 0.5,
        upsampling: str = "transposed",
        activation: str = "relu",
    ) -> None:
        super().__init__()
        require_choice("padding", padding, ("valid", "same"))
        require_choice("norm", norm, NORMS)
        require_choice("upsampling", upsampling, ("transposed", "bilinear"))
        require_choice("activation", activation, ACTIVATIONS)
        require_range(1, 7, depth=depth)
        require_range(
            1, in_channels=in_channels, out_channels=out_channels, base_channels=base_channels
        )
        require_range(0, 1, dropout=dropout)

        self.in_channels = in_channels
        self.out_channels = out_channels
        self.depth = depth
        self.padding = padding
        self.norm = norm
        self.upsampling = upsampling
        self.step = 2**depth
        self.halo = self._padded_halo() if padding == "same" else self._unpadded_halo()

        def convolutions(into: int, out: int) -> nn.Sequential:
            return double_convolution(into, out, padding, norm, activation)

        channels = [base_channels * 2**level for level in range(depth + 1)]
        self.contracting = nn.ModuleList(
            convolutions(into, out)
            for into, out in zip([in_channels, *channels], channels, strict=False)
        )
        self.dropout = nn.Dropout(dropout)
        self.up = nn.ModuleList(_up(c, upsampling) for c in reversed(channels[1:]))
        self.expanding = nn.ModuleList(convolutions(2 * c, c) for c in reversed(channels[:-1]))
        self.classify = nn.Conv2d(base_channels, out_channels, kernel_size=1)
        draw_weights(self)

    def forward(self, image: Float[Tensor, "b c h w"]) -> Float[Tensor, "b k out_h out_w"]:
        """Logits of every pixel, or without padding, of the pixels with complete context."""
        height, width = image.shape[-2:]
        require_channels(image, self.in_channels)
        rows, columns = self.output_size(height), self.output_size(width)
        if self.padding == "same":
            image = mirror_pad(image, 0, -height % self.step, 0, -width % self.step)
        return self._logits(image)[..., :rows, :columns]

    def _logits(self, x: Tensor) -> Tensor:
        skips: list[Tensor] = []
        for level, convolutions in enumerate(self.contracting):
            if level:
                x = F.max_pool2d(x, kernel_size=2)
            x = convolutions(x)
            if level >= self.depth - 1:
                x = self.dropout(x)
            skips.append(x)
        skips.pop()
        for up, convolutions in zip(self.up, self.expanding, strict=True):
            x = up(x)
            if self._cut:
                x = cropped(x, x.shape[-2] - 2, x.shape[-1] - 2)
            x = torch.cat([cropped(skips.pop(), x.shape[-2], x.shape[-1]), x], dim=1)
            x = convolutions(x)
        return self.classify(x)

    def output_size(self, size: int) -> int:
        """Pixels of logits along an axis of ``size`` pixels of image.

        Raises ``ValueError`` with the nearest sides that fit.

        >>> UNet(base_channels=1).output_size(572)
        388
        >>> UNet(base_channels=1).output_size(512)
        Traceback (most recent call last):
        ValueError: A side of 512 pixels does not fit 4 poolings with padding=valid. ...
        """
        output = self._walk(size)
        if output is None:
            below, above = self.fitting_sizes(size)
            sides = f"{above} or more" if below is None else f"{below} or {above}"
            other = ", or padding=same, which takes any" if self.padding == "valid" else ""
            raise ValueError(
                f"A side of {size} pixels does not fit {self.depth} poolings with "
                f"padding={self.padding}. Take {sides}{other}."
            )
        return output

    def fitting_sizes(self, size: int) -> tuple[int | None, int]:
        """Nearest sides at which no pixel is wasted: the largest <= size and the smallest >= size.

        Without padding, only these sides can be computed. With padding, they are the multiples of
        ``step`` (``forward`` pads other sides). If there is no smaller side, the first is None.

        >>> UNet(base_channels=1).fitting_sizes(560)
        (556, 572)
        """
        # Doubling a side and adding two convolutions, depth times, gives step * (side + 4) - 4.
        lost = 0 if self.padding == "same" else 4
        below = (size + lost) // self.step * self.step - lost
        above = -(-(size + lost) // self.step) * self.step - lost
        while self._walk(above) is None:
            above += self.step
        return None if self._walk(below) is None else below, above

    @property
    def _cut(self) -> bool:
        return self.padding == "valid" and self.upsampling == "bilinear"

    def _walk(self, size: int) -> int | None:
        """Side after the last layer for an input of ``size``; None if a layer is impossible."""
        if self.padding == "same":
            return size if size > 0 else None
        for _ in range(self.depth):
            size -= 4
            if size < 2 or size % 2:
                return None
            size //= 2
        size -= 4
        for _ in range(self.depth):
            size = 2 * size - (2 if self._cut else 0) - 4
        return size if size > 0 else None

    def _unpadded_halo(self) -> int:
        size = self.fitting_sizes(1)[1]
        return (size - self.output_size(size)) // 2

    def _padded_halo(self) -> int:
        """Walk from a block of logits back to the image and count the pixels around it."""
        around = 2
        for _ in range(self.depth):
            # Interpolated pixel 2 i looks at pixels i - 1 and i below it, 2 i + 1 at i and i + 1.
            below = around // 2 + 1 if self.upsampling == "bilinear" else -(-around // 2)
            around = below + 2
        for _ in range(self.depth):
            around = 2 * around + 2
        return -(-around // self.step) * self.step


def cropped(image: Float[Tensor, "b c h w"], height: int, width: int) -> Float[Tensor, "b c h2 w2"]:
    """Return the central ``height x width`` pixels.

    In training they are a copy: the gradient of a slice would lose ``channels_last``, which costs
    the article's network a twelfth of a step.

    >>> cropped(torch.arange(5.0).reshape(1, 1, 1, 5), height=1, width=3)
    tensor([[[[1., 2., 3.]]]])
    """
    rows, columns = image.shape[-2] - height, image.shape[-1] - width
    if not image.requires_grad or min(rows, columns) <= 0:
        return centre_crop(image, height, width)
    return F.pad(image, (-(columns // 2), columns // 2 - columns, -(rows // 2), rows // 2 - rows))


def double_convolution(
    into: int, out: int, padding: str, norm: str, activation: str
) -> nn.Sequential:
    """Two 3 x 3 convolutions, each with norm and activation.

    Shape: (b, into, h, w) -> (b, out, h - 4, w - 4), or (b, out, h, w) with ``padding="same"``.
    """
    layers: list[nn.Module] = []
    normalise = NORMS[norm]
    for channels in (into, out):
        border = 1 if padding == "same" else 0
        layers.append(nn.Conv2d(channels, out, 3, padding=border, bias=normalise is None))
        if normalise is not None:
            layers.append(normalise(out))
        layers.append(ACTIVATIONS[activation]())
    return nn.Sequential(*layers)


def _up(channels: int, upsampling: str) -> nn.Module:
    """Double the side and halve the channels; figure 1 has no activation after this."""
    if upsampling == "transposed":
        return nn.ConvTranspose2d(channels, channels // 2, kernel_size=2, stride=2)
    return nn.Sequential(
        nn.Conv2d(channels, channels // 2, kernel_size=1),
        nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False),
    )
