"""Seamless segmentation of images of any size, tile by tile (figure 2, arXiv:1505.04597)."""

import warnings
from collections.abc import Iterator
from itertools import pairwise, product
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from unet_exp.geometry import TilePlan, centre_crop, mirror_window, plan_tiles
from unet_exp.inference.memory import largest_side
from unet_exp.models.network import Network
from unet_exp.ranges import require_range

Span = tuple[int, int]
ANYWHERE = 768
"""Side of a tile that fits on any machine: the article's network needs 0.6 GB for it."""
LARGEST = 2048
"""Largest side of a tile. Larger tiles save almost no time, even if the memory allows them."""
SCALES = (1 / 64, 64)
"""Smallest and largest factor by which images may be enlarged; others are mistakes."""
REGION = 2048
"""Side of the regions into which an image is cut, if tiles are smaller."""


class OverlapTile:
    """The overlap-tile strategy: see :func:`overlap_tile`, which it calls.

    Parameters
    ----------
    tile
        Largest side of the network's input in pixels. The sides are as small as possible for the
        same number of tiles, and fit the network. None means the largest side that fits into
        memory.
    batch_size
        Tiles in one forward pass.
    scale
        Factor by which `unet_exp.inference.predictor.Predictor` enlarges an image before the
        network sees it. The tiles are those of the enlarged image.
    """

    def __init__(self, tile: int | None = None, batch_size: int = 1, scale: float = 1.0) -> None:
        require_range(1, batch_size=batch_size)
        if tile is not None:
            require_range(1, tile=tile)
        require_range(SCALES[0], SCALES[1], **{"inference.scale": scale})
        self.tile, self.batch_size, self.scale = tile, batch_size, scale

    def __call__(
        self, network: Network, image: Any, region: tuple[Span, Span] | None = None
    ) -> Float[Tensor, "k h w"]:
        """Logits of an image, or of a region of a plane."""
        return overlap_tile(network, image, self.tile, self.batch_size, region)

    def regions(
        self, network: Network, height: int, width: int, turned: bool = False
    ) -> list[tuple[Span, Span]]:
        """Cut an image into regions that are computed one by one, so that the memory is limited.

        Each region consists of whole tiles, so that the cuts cost no time. An image that fits into
        a tile is one region. In a turned image, regions do not start on the grid of pooled pixels;
        ``turned`` leaves room for this in the tiles. An image that is resized by ``scale`` is cut
        into equal parts.

        >>> from unet_exp.models.unet import UNet
        >>> OverlapTile(tile=572).regions(UNet(), 1000, 3000)[:2]
        [((0, 1000), (0, 1920)), ((0, 1000), (1920, 3000))]
        """
        limit = tile_limit(network, self.tile, self.batch_size, max(height, width))
        limit -= network.step if turned else 0
        rows, columns = (
            spans(plan_tiles(size, limit, network.step, network.halo, network.fitting_sizes), size)
            for size in (height, width)
        )
        if self.scale != 1:
            side = max(1, int(REGION / max(1.0, self.scale)))
            rows, columns = equal_parts(height, side), equal_parts(width, side)
        found = list(product(rows, columns))
        if len(found) > 1:
            _warn_of_seams(network)
        return found


def overlap_tile(
    network: Network,
    image: Any,
    tile: int | None = None,
    batch_size: int = 1,
    region: tuple[Span, Span] | None = None,
) -> Float[Tensor, "k h w"]:
    """Logits of every pixel of an image of any size, as if computed in a single pass.

    The image is extended by mirroring, by ``network.halo`` pixels at each side. The result is the
    same as for the whole mirrored image in one pass, because tiles start on the network's grid of
    pooled pixels and contain all pixels that a logit depends on. So ``tile`` and ``batch_size``
    only affect memory and speed. Networks that normalise each image by its own mean (norm=instance
    or group) are an exception: they normalise each tile differently. Several tiles then give a
    warning.

    The tiles are computed on the network's device. The result is on the same device, or on that of
    the image if it is a tensor. Gradients are not recorded.

    Parameters
    ----------
    image
        (c, h, w), a tensor or an object that is read by slices as needed (an array, a memory map, a
        Zarr array); or an unbounded plane, which is an object with ``window(rows, columns)``, as in
        :mod:`unet_exp.inference.tta`.
    tile
        Largest side of the network's input in pixels. The sides are as small as possible for the
        same number of tiles, and fit the network. None means the largest side that fits into
        memory.
    batch_size
        Tiles in one forward pass.
    region
        Rows and columns ``(start, stop)`` to compute; the default is the whole image. They are
        required for a plane, and may then be negative.

    Raises ValueError if ``tile`` leaves no room for the halo, or if the network is in training
    mode, where dropout and batch statistics would make every tile different.

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
    require_range(1, batch_size=batch_size)
    if region is None:
        region = (0, image.shape[-2]), (0, image.shape[-1])
    # In every region, tiles start on the grid that begins at the image's first pixel.
    (top, bottom), (left, right) = region
    origin = top // network.step * network.step, left // network.step * network.step
    limit = tile_limit(network, tile, batch_size, max(bottom - origin[0], right - origin[1]))
    rows, columns = (
        plan_tiles(stop - start, limit, network.step, network.halo, network.fitting_sizes)
        for start, stop in zip(origin, (bottom, right), strict=True)
    )
    corners = list(product(rows.starts, columns.starts))
    if len(corners) > 1:
        _warn_of_seams(network)

    logits = torch.empty(0)
    for first in range(0, len(corners), batch_size):
        batch = corners[first : first + batch_size]
        cores = _pass(network, image, origin, batch, rows, columns)
        if first == 0:
            logits = cores.new_empty(
                (cores.shape[1], bottom - origin[0], right - origin[1]),
                device=image.device if isinstance(image, Tensor) else cores.device,
            )
        for (y, x), core in zip(batch, cores, strict=True):
            here = logits[:, y : y + rows.core, x : x + columns.core]
            here.copy_(core[:, : here.shape[1], : here.shape[2]])
    return logits[:, top - origin[0] :, left - origin[1] :]


def tile_limit(network: Network, tile: int | None, batch_size: int, size: int) -> int:
    """Largest side of a tile: as given, or as the memory allows for an axis of ``size`` pixels."""
    if tile is not None:
        return tile
    smallest = network.fitting_sizes(2 * network.halo + network.step)[1]
    least = max(ANYWHERE, 2 * smallest)
    whole = network.fitting_sizes(size + 2 * network.halo)[1]
    if whole <= least and batch_size == 1:
        return least
    if not isinstance(network, nn.Module):
        return LARGEST
    side = largest_side(network, network.fitting_sizes(least)[1], batch_size)
    return max(min(side, LARGEST), smallest)


def spans(plan: TilePlan, size: int) -> Iterator[Span]:
    """Join tiles to regions of at most ``REGION`` pixels, or of one tile if that is larger.

    >>> list(spans(TilePlan(side=1200, core=1000, starts=(0, 1000, 2000, 3000)), size=3500))
    [(0, 2000), (2000, 3500)]
    """
    together = max(1, REGION // plan.core)
    starts = plan.starts[::together]
    return zip(starts, (*starts[1:], size), strict=True)


def equal_parts(size: int, most: int) -> list[Span]:
    """Cut an axis into the fewest equal parts of at most ``most`` pixels.

    >>> equal_parts(10, 4)
    [(0, 3), (3, 6), (6, 10)]
    """
    count = -(-size // most)
    ends = [size * part // count for part in range(count + 1)]
    return list(pairwise(ends))


@torch.inference_mode()
def _pass(
    network: Network,
    image: Any,
    origin: tuple[int, int],
    corners: list[tuple[int, int]],
    rows: TilePlan,
    columns: TilePlan,
) -> Float[Tensor, "b k core_h core_w"]:
    """Logits of the cores that start at ``corners``, counted from ``origin``, in one pass."""
    windows = []
    for y, x in corners:
        top, left = origin[0] + y - network.halo, origin[1] + x - network.halo
        windows.append(_window(image, (top, top + rows.side), (left, left + columns.side)))
    tiles = torch.stack(windows) if len(windows) > 1 else windows[0].unsqueeze(0)
    like = _parameter(network, tiles)
    return centre_crop(network(tiles.to(like.device, like.dtype)), rows.core, columns.core)


def _window(image: Any, rows: Span, columns: Span) -> Float[Tensor, "c h w"]:
    plane = hasattr(image, "window")
    pixels = image.window(rows, columns) if plane else mirror_window(image, rows, columns)
    return pixels if isinstance(pixels, Tensor) else torch.from_numpy(np.array(pixels))


def _parameter(network: object, otherwise: Tensor) -> Tensor:
    """Return a tensor with the network's device and data type."""
    parameters = network.parameters() if isinstance(network, nn.Module) else ()
    return next((p for p in parameters if p.is_floating_point()), otherwise)


def _warn_of_seams(network: object) -> None:
    layers = network.modules() if isinstance(network, nn.Module) else ()
    for layer in layers:
        if isinstance(layer, nn.GroupNorm | nn.InstanceNorm2d):
            warnings.warn(
                f"The network has {type(layer).__name__}, which normalises each tile by its own "
                "mean and variance, so tiles may differ where they meet. Use batch norm or no "
                "norm, or a tile that holds the whole image.",
                stacklevel=3,
            )
            return
