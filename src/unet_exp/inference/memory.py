"""Compute the largest tile that fits into memory.

A forward pass on torch's "meta" device, where tensors have sizes but no content, gives the exact
peak memory of any network almost without computation.
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
"""Bytes of activations. On a CPU, tiles that need more memory save little time."""
MARGIN = 1.3
"""Factor for the memory of libraries; 1.26 was measured for the article's network."""

_known: "weakref.WeakKeyDictionary[nn.Module, float]" = weakref.WeakKeyDictionary()


def largest_side(network: nn.Module, side: int, batch_size: int = 1) -> int:
    """Largest side in pixels of square tiles that fit into memory in batches of ``batch_size``.

    On a CPU, a quarter of the free memory and at most 1 GiB is used; on a GPU, half of the free
    memory. The memory per pixel is measured with a tile of ``side`` pixels, which must fit.

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
    """Bytes that a forward pass may use on a device."""
    if device.type == "cuda":
        kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return (torch.cuda.mem_get_info(device)[0] + kept) // 2
    return min(psutil.virtual_memory().available // 4, MOST)


def bytes_per_pixel(network: nn.Module, side: int) -> float:
    """Peak memory of one forward pass, divided by the pixels of its image.

    >>> bytes_per_pixel(nn.Conv2d(1, 3, 1), 100)  # 4 bytes for each of one and three channels
    16.0
    """
    twin = copy.deepcopy(network).to("meta")
    channels = getattr(network, "in_channels", 1)
    image = torch.empty(1, channels, side, side, device="meta")
    with torch.inference_mode(), _MemoryTracker() as tracker:
        tracker.enter(image.untyped_storage())
        twin(image)
    return tracker.peak / side**2


class _MemoryTracker(TorchDispatchMode):
    """Track the bytes of all live tensors and their peak."""

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
        """Count a storage once until it is freed, even if several tensors share it."""
        key = storage._cdata
        if key not in self.held:
            self.held[key] = storage.nbytes()
            self.peak = max(self.peak, sum(self.held.values()))
            weakref.finalize(storage, self.held.pop, key, None)
