"""Random tiles of labelled images: their size, their numbering, and the loader of batches."""

import time
from collections.abc import Callable, Iterator, Sequence
from inspect import signature
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, SequentialSampler

from unet_exp.models.network import Network
from unet_exp.targets.target import Directed, target_tensor, unknown_pixels
from unet_exp.training.supervision import Supervised

Batch = TypeVar("Batch", covariant=True)


def tile_side(network: Network, tile: int | None, max_tile: int, smallest: int) -> int:
    """Return the input side of the tiles: ``tile``, or the largest that fits.

    Parameters
    ----------
    max_tile
        Largest side of the output, where ``tile`` is None.
    smallest
        Shortest side of all images.

    Raises ValueError if the network cannot take ``tile``.
    """
    valid = network.padding == "valid"
    # With padding, a single pixel after the last pooling would see almost only padding.
    least = 0 if valid else network.fitting_sizes(2 * network.step)[1]
    if tile is None:
        below, above = network.fitting_sizes(
            max(least, min(max_tile, smallest) + (2 * network.halo if valid else 0))
        )
        return above if below is None else below
    below, above = network.fitting_sizes(tile)
    if tile not in (below, above):
        raise ValueError(
            f"loader.tile={tile} does not fit the poolings of this network "
            f"(model.depth, model.padding={network.padding}). Take "
            f"{' or '.join(str(s) for s in (below, above) if s)}, or loader.tile=null."
        )
    if tile < least:
        raise ValueError(
            f"loader.tile={tile} leaves a single pixel behind the poolings of this "
            f"network. Take {least} or more, loader.tile=null, or a lower model.depth."
        )
    return tile


class Tiles(Dataset[dict[str, Tensor]]):
    """An endless sequence of random tiles; tile i depends only on i and the seed."""

    def __init__(
        self,
        images: Sequence[Supervised],
        augment: Callable[..., Any],
        seed: int,
        target: Any = None,
    ) -> None:
        self.images, self.augment, self.seed = images, augment, seed
        #: The augmentation turns the directions of the target, if it has any.
        self.turning = {"turned": target.turned} if isinstance(target, Directed) else {}
        try:
            signature(augment).bind_partial(**self.turning)
        except TypeError as error:
            raise ValueError(
                f"The target {type(target).__name__} has directions, and this augmentation does "
                "not turn them. Give it a parameter `turned`, as "
                "unet_exp.augmentations.paper.Augmentation has, or choose another target."
            ) from error

    def __getitem__(self, number: int) -> dict[str, Tensor]:
        # Each pass takes every image once, in a new order.
        turn, index = divmod(number, len(self.images))
        order = np.random.default_rng((self.seed, turn)).permutation(len(self.images))
        chosen = self.images[order[index]]
        seed = int(np.random.default_rng((self.seed, turn, index)).integers(2**31))
        image, target, weights = self.augment(
            chosen.sample.image, chosen.target, chosen.weights, seed=seed, **self.turning
        )
        # Interpolation spreads weights into unknown pixels next to known ones.
        weights = np.where(unknown_pixels(target), np.float32(0), weights)
        return {
            "image": torch.from_numpy(np.ascontiguousarray(image)),
            "target": target_tensor(target),
            "weights": torch.from_numpy(weights),
        }


class TileNumbers(SequentialSampler):
    """The next ``count`` tile numbers for one of ``world`` devices.

    At the start of each pass, ``done`` returns the number of tiles that this device has had, so
    that a resumed run continues with the next tile. The class is a ``SequentialSampler``, because
    Lightning would replace another sampler if it overfits to a few batches.

    >>> list(TileNumbers(4, lambda: 4, rank=1, world=2))
    [9, 11, 13, 15]
    """

    def __init__(self, count: int, done: Callable[[], int], rank: int = 0, world: int = 1) -> None:
        self.count, self.done, self.rank, self.world = count, done, rank, world

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[int]:
        first = self.done() * self.world
        return iter(range(first + self.rank, first + self.count * self.world, self.world))


class TimedLoader(DataLoader[Batch]):
    """A loader that counts in ``waited`` the seconds that training waited for its batches.

    >>> loader = TimedLoader([1, 2])
    >>> [batch.item() for batch in loader], loader.waited > 0
    ([1, 2], True)
    """

    waited = 0.0

    def __iter__(self) -> Iterator[Batch]:  # pyright: ignore[reportIncompatibleMethodOverride]
        start = time.perf_counter()
        for batch in super().__iter__():
            self.waited += time.perf_counter() - start
            yield batch
            start = time.perf_counter()
