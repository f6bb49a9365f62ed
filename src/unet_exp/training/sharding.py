"""A network spread over several devices: fully sharded data parallel (arXiv:2304.11277)."""

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.distributed.fsdp import FSDPModule, fully_shard

if TYPE_CHECKING:
    from torch.distributed.device_mesh import DeviceMesh


def shard(network: nn.Module, mesh: "DeviceMesh") -> None:
    """Leave each device its part of the weights; the others come when a block is computed.

    A block is an element of a ``ModuleList``, as the levels of a U-Net are; what is outside of
    them is one more.
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
    """Give each device all weights, so that it computes without the others, until `scatter`."""
    for block in sharded(network):
        block.set_reshard_after_forward(False, recurse=False)
        block.unshard()


def scatter(network: nn.Module) -> None:
    """Take back what `gather` gave."""
    for block in sharded(network):
        block.reshard()
        block.set_reshard_after_forward(True, recurse=False)


def sharded(network: nn.Module) -> list[FSDPModule]:
    """Return the parts that are spread over devices; none of a network that is not."""
    return [part for part in network.modules() if isinstance(part, FSDPModule)]
