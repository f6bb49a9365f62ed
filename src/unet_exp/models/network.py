"""The interface of a network for training and inference."""

from typing import Any, Protocol, runtime_checkable

from torch import Tensor

from unet_exp.contracts import require_contract


@runtime_checkable
class Network(Protocol):
    """A callable, (b, in_channels, h, w) -> (b, out_channels, h', w'), that knows its geometry.

    ``UNet`` and ``SlidingWindow`` are networks. ``Padded`` makes a network of most others.
    """

    in_channels: int
    """Channels of the image."""
    out_channels: int
    """Channels of the output."""
    step: int
    """If an image is shifted by a multiple of ``step`` pixels, its output is shifted equally."""
    halo: int
    """Context in pixels on each side of a tile.

    A tile of fitting size that starts at a multiple of ``step`` has the same output as the whole
    image, except for its outermost ``halo`` pixels.
    """
    padding: str
    """``valid``: the output lacks ``halo`` pixels on each side. ``same``: it has the same size."""

    def output_size(self, size: int) -> int:
        """Output pixels along an axis of ``size`` pixels; ``ValueError`` if that does not fit."""
        ...

    def fitting_sizes(self, size: int) -> tuple[int | None, int]:
        """Nearest input sizes that fit: the largest <= size, or None, and the smallest >= size."""
        ...

    def __call__(self, image: Any, /) -> Any:
        """Output for a batch of images."""
        ...


def require_network(network: Any) -> None:
    """Refuse a network without the members of `Network`.

    >>> from torch import nn
    >>> require_network(nn.Conv2d(1, 2, 3))
    Traceback (most recent call last):
    TypeError: model: torch.nn.modules.conv.Conv2d lacks step, halo, output_size, fitting_sizes...

    Raises TypeError with what is missing.
    """
    require_contract(
        "model",
        network,
        Network,
        "model=padded makes a network of one that keeps the image's size.",
    )


def require_channels(image: Tensor, in_channels: int) -> None:
    """Raise ``ValueError`` unless images (b, c, h, w) have the network's number of channels."""
    if image.shape[1] != in_channels:
        raise ValueError(
            f"The image has {image.shape[1]} channels and the network takes {in_channels}. "
            f"Build it with in_channels={image.shape[1]}."
        )
