"""How large a tile may be: the memory that a network takes for each pixel, and what there is.

A forward pass is followed on torch's "meta" device, where tensors have sizes but no content, so
the peak of what is alive at once is known exactly, for any network, without computing anything.
"""

import copy
import math
import weakref
from typing import Any

import psutil
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

MOST = 2**30
"""Bytes of activations beyond which a larger tile on a CPU saves little time."""
MARGIN = 1.3
"""What libraries take besides the tensors: the article's network was seen to take 1.26 times."""

_known: "weakref.WeakKeyDictionary[nn.Module, float]" = weakref.WeakKeyDictionary()


def largest_side(network: nn.Module, side: int, batch_size: int = 1) -> int:
    """Side in pixels of the square tiles, ``batch_size`` at once, that the memory at hand allows.

    On a CPU a quarter of the free memory and at most 1 GiB is used, on a GPU half of what is free.
    The memory for each pixel is found with a tile of ``side`` pixels, which must fit the network.

    >>> from unet_exp.models.unet import UNet
    >>> largest_side(UNet(base_channels=16), 572) > largest_side(UNet(base_channels=32), 572) > 300
    True
    """
    if network not in _known:
        _known[network] = bytes_per_pixel(network, side)
    device = next((p.device for p in network.parameters()), torch.device("cpu"))
    pixels = memory_at_hand(device) / (MARGIN * _known[network] * batch_size)
    return math.isqrt(int(pixels))


def memory_at_hand(device: torch.device) -> int:
    """Bytes that a forward pass may take on a device."""
    if device.type == "cuda":
        kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return (torch.cuda.mem_get_info(device)[0] + kept) // 2
    return min(psutil.virtual_memory().available // 4, MOST)


def bytes_per_pixel(network: nn.Module, side: int) -> float:
    """Peak of the memory that one forward pass holds, divided by the pixels of its image.

    >>> bytes_per_pixel(nn.Conv2d(1, 3, 1), 100)  # 4 bytes for each of one and three channels
    16.0
    """
    twin = copy.deepcopy(network).to("meta")
    channels = getattr(network, "in_channels", 1)
    image = torch.empty(1, channels, side, side, device="meta")
    with torch.inference_mode(), _Ledger() as ledger:
        ledger.enter(image.untyped_storage())
        twin(image)
    return ledger.peak / side**2


class _Ledger(TorchDispatchMode):
    """Adds up the bytes of all tensors that are alive."""

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[int, int] = {}
        self.peak = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if isinstance(tensor, torch.Tensor):
                self.enter(tensor.untyped_storage())
        return result

    def enter(self, storage: torch.UntypedStorage) -> None:
        """Count a storage until it is freed, once however many tensors look at it."""
        key = storage._cdata
        if key not in self.held:
            self.held[key] = storage.nbytes()
            self.peak = max(self.peak, sum(self.held.values()))
            weakref.finalize(storage, self.held.pop, key, None)
