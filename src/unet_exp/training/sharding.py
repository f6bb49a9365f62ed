"""Spread a network over several devices: fully sharded data parallel (arXiv:2304.11277)."""

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.distributed.fsdp import FSDPModule, fully_shard

if TYPE_CHECKING:
    from torch.distributed.device_mesh import DeviceMesh


def shard(network: nn.Module, mesh: "DeviceMesh") -> None:
    """Give each device a part of the weights; each block fetches the rest when it is computed.

    Each element of a ``ModuleList``, such as a level of a U-Net, is a block. The remaining layers
    form one more block.
    """
    if isinstance(network, FSDPModule):
        return
    network.to(memory_format=torch.contiguous_format)  # pyright: ignore[reportCallIssue]
    for part in list(network.modules()):
        if isinstance(part, nn.ModuleList):
            for block in part:
                if any(True for _ in block.parameters()):
                    fully_shard(block, mesh=mesh)
    fully_shard(network, mesh=mesh)


def gather(network: nn.Module) -> None:
    """Give each device all weights, so that it can compute alone until `scatter`."""
    for block in sharded(network):
        block.set_reshard_after_forward(False, recurse=False)
        block.unshard()


def scatter(network: nn.Module) -> None:
    """Reduce each device to its part of the weights again, after `gather`."""
    for block in sharded(network):
        block.reshard()
        block.set_reshard_after_forward(True, recurse=False)


def sharded(network: nn.Module) -> list[FSDPModule]:
    """Return the parts of a network that are sharded; the list may be empty."""
    return [part for part in network.modules() if isinstance(part, FSDPModule)]
