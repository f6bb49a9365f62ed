"""The network that U-Net replaced: N4 of Ciresan, Giusti, Gambardella and Schmidhuber (NIPS 2012).

Its dense form follows Giusti et al. 2013 (arXiv:1302.1700), but uses dilated convolutions.
"""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from unet_exp.models.activations import ACTIVATIONS
from unet_exp.models.initial_weights import draw_weights
from unet_exp.models.network import require_channels
from unet_exp.ranges import require_choice, require_range

WINDOW = 95
"""Side in pixels of the window whose central pixel is classified."""
KERNELS = (4, 5, 4, 4)
"""Sides of the four convolutions, each before a 2 x 2 max pooling; 3 x 3 pixels remain."""


class SlidingWindow(nn.Module):
    """Classify a pixel from the window around it: 95 x 95 pixels in, one logit for each class out.

    Shape: (b, in_channels, h, w) -> (b, out_channels, h - 94, w - 94), logits of the pixels that
    are the centre of a window, for any sides of 95 or more. An image of one window passes the
    layers without change. For a larger image, the same layers are computed for all windows at once:
    a pooling has stride 1, and the layers after it are dilated by another factor of 2.

    Parameters
    ----------
    in_channels, out_channels
        Channels of image and of logits.
    maps
        Output channels of each of the four convolutions.
    hidden
        Neurons of the fully connected layer.
    activation
        ``scaled_tanh``, which is 1.7159 tanh(2 x / 3) and was usual for these authors, or ``relu``,
        ``leaky_relu``, ``elu``, ``gelu``, ``silu``. It comes after the pooling, where it needs a
        quarter of the time. If the activation never decreases, the order makes no difference.
    dropout
        Probability of dropout after the fully connected layer; the article has none.

    Attributes
    ----------
    step, halo, padding
        As in `unet_exp.models.unet.UNet`: 1, 47 and ``valid``.

    Examples
    --------
    >>> import torch
    >>> network = SlidingWindow(maps=4, hidden=8)
    >>> network(torch.zeros(16, 1, 95, 95)).shape, network(torch.zeros(1, 1, 100, 131)).shape
    (torch.Size([16, 2, 1, 1]), torch.Size([1, 2, 6, 37]))
    """

    step = 1
    halo = WINDOW // 2
    padding = "valid"

    def __init__(
        self,
        in_channels: int = 1,
        out_channels: int = 2,
        maps: int = 48,
        hidden: int = 200,
        activation: str = "scaled_tanh",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        require_choice("activation", activation, ACTIVATIONS)
        require_range(
            1, in_channels=in_channels, out_channels=out_channels, maps=maps, hidden=hidden
        )
        require_range(0, 1, dropout=dropout)
        self.in_channels = in_channels
        self.out_channels = out_channels

        layers: list[nn.Module] = []
        channels = in_channels
        for kernel in KERNELS:
            layers += [nn.Conv2d(channels, maps, kernel), nn.MaxPool2d(2)]
            layers += [ACTIVATIONS[activation]()]
            channels = maps
        # Fully connected layers, written as convolutions: 3 x 3 pixels of a window remain.
        layers += [nn.Conv2d(maps, hidden, 3), ACTIVATIONS[activation](), nn.Dropout(dropout)]
        layers += [nn.Conv2d(hidden, out_channels, 1)]
        self.layers = nn.Sequential(*layers)
        draw_weights(self)

    def forward(self, image: Float[Tensor, "b c h w"]) -> Float[Tensor, "b k out_h out_w"]:
        """Logits of the centres of all windows."""
        require_channels(image, self.in_channels)
        one_window = self.output_size(image.shape[-2]) == self.output_size(image.shape[-1]) == 1
        return self.layers(image) if one_window else self._all_windows(image)

    def _all_windows(self, x: Tensor) -> Tensor:
        apart = 1  # distance in pixels between neighbours in a window
        for layer in self.layers:
            if isinstance(layer, nn.Conv2d):
                x = F.conv2d(x, layer.weight, layer.bias, dilation=apart)
            elif isinstance(layer, nn.MaxPool2d):
                x = F.max_pool2d(x, kernel_size=2, stride=1, dilation=apart)
                apart *= 2
            else:
                x = layer(x)
        return x

    def output_size(self, size: int) -> int:
        """Pixels of logits along an axis of ``size`` pixels of image; ``ValueError`` below 95.

        >>> SlidingWindow(maps=1).output_size(606)
        512
        """
        if size < WINDOW:
            raise ValueError(
                f"A side of {size} pixels is smaller than the window. Take {WINDOW} or more."
            )
        return size - WINDOW + 1

    def fitting_sizes(self, size: int) -> tuple[int | None, int]:
        """Nearest sides: the largest <= size, None below 95, and the smallest >= size.

        >>> SlidingWindow(maps=1).fitting_sizes(100), SlidingWindow(maps=1).fitting_sizes(94)
        ((100, 100), (None, 95))
        """
        return (None, WINDOW) if size < WINDOW else (size, size)
