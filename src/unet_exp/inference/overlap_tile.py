"""Seamless segmentation of images of any size, tile by tile (figure 2, arXiv:1505.04597)."""

import warnings
from itertools import product
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from unet_exp.geometry import TilePlan, centre_crop, mirror_window, plan_tiles

LARGEST_SIDE = 1280
"""Side of a tile when none is given: the article's network then takes about 2 GB in float32."""


@runtime_checkable
class Tileable(Protocol):
    """A callable, (b, c, h, w) -> (b, k, h', w'), that knows its geometry (see ``UNet``)."""

    @property
    def step(self) -> int:
        """Tile positions differ by multiples of this."""
        ...

    @property
    def halo(self) -> int:
        """Pixels of context around a block of ``step x step`` logits."""
        ...

    def fitting_sizes(self, size: int) -> tuple[int | None, int]:
        """Nearest sides of input that fit: the largest <= size, the smallest >= size."""
        ...

    def __call__(self, image: Any, /) -> Any:
        """Logits of the centre of the images (unpadded), or of the whole (padded)."""
        ...


def overlap_tile(
    network: Tileable,
    image: Float[Tensor, "c h w"],
    tile: int | None = None,
    batch_size: int = 1,
) -> Float[Tensor, "k h w"]:
    """Logits of every pixel of an image of any size, as if computed in a single pass.

    Context beyond the image is mirrored, as much as ``network.halo``. The result equals that of
    the whole mirrored image in one pass, whatever the tiles: they start on the network's grid of
    pooled pixels and show all the context that a logit depends on. So ``tile`` and ``batch_size``
    are matters of memory and speed alone. (Networks that normalise each image by its own mean,
    norm=instance or group, see another image in every tile; several tiles then give a warning.)

    The tiles go to the network's device; the result lies on the image's. It takes no part in
    differentiation.

    Parameters
    ----------
    tile
        Largest side of the network's input in pixels; sides are as small as the number of tiles
        allows, and fit the network. None chooses 1280, or more for a network that looks far.
    batch_size
        Tiles in one forward pass.

    Raises
    ------
    ValueError
        When ``tile`` leaves no room for the halo, or the network is in training mode, where
        dropout and batch statistics would make every tile different.

    Examples
    --------
    >>> from unet_exp.models.unet import UNet
    >>> network = UNet(depth=2, base_channels=2).eval()
    >>> overlap_tile(network, torch.rand(1, 61, 97), tile=100).shape
    torch.Size([2, 61, 97])
    """
    if isinstance(network, nn.Module) and network.training:
        raise ValueError(
            "The network is in training mode: dropout and batch statistics would differ from tile "
            "to tile. Call network.eval() first."
        )
    if batch_size < 1:
        raise ValueError(f"batch_size={batch_size} computes nothing. Choose 1 or more.")
    height, width = image.shape[-2:]
    limit = max(LARGEST_SIDE, 4 * network.halo) if tile is None else tile
    rows, columns = (
        plan_tiles(size, limit, network.step, network.halo, network.fitting_sizes)
        for size in (height, width)
    )
    corners = list(product(rows.starts, columns.starts))
    if len(corners) > 1:
        _warn_of_seams(network)

    logits = torch.empty(0)
    for first in range(0, len(corners), batch_size):
        batch = corners[first : first + batch_size]
        cores = _pass(network, image, batch, rows, columns)
        if first == 0:
            logits = cores.new_empty((cores.shape[1], height, width), device=image.device)
        for (y, x), core in zip(batch, cores, strict=True):
            here = logits[:, y : y + rows.core, x : x + columns.core]
            here.copy_(core[:, : here.shape[1], : here.shape[2]])
    return logits


@torch.inference_mode()
def _pass(
    network: Tileable,
    image: Float[Tensor, "c h w"],
    corners: list[tuple[int, int]],
    rows: TilePlan,
    columns: TilePlan,
) -> Float[Tensor, "b k core_h core_w"]:
    """Logits of the cores that start at ``corners``, from one forward pass."""
    windows = []
    for y, x in corners:
        top, left = y - network.halo, x - network.halo
        windows.append(mirror_window(image, (top, top + rows.side), (left, left + columns.side)))
    tiles = torch.stack(windows) if len(windows) > 1 else windows[0].unsqueeze(0)
    like = _parameter(network, image)
    return centre_crop(network(tiles.to(like.device, like.dtype)), rows.core, columns.core)


def _parameter(network: object, otherwise: Tensor) -> Tensor:
    """Tensor that tells the network's device and data type."""
    parameters = network.parameters() if isinstance(network, nn.Module) else ()
    return next((p for p in parameters if p.is_floating_point()), otherwise)


def _warn_of_seams(network: object) -> None:
    norm = getattr(network, "norm", "none")
    if norm in ("instance", "group"):
        warnings.warn(
            f"norm={norm} normalises each tile by its own mean and variance, so tiles may differ "
            "where they meet. Use norm=batch or none, or a tile that holds the whole image.",
            stacklevel=3,
        )
