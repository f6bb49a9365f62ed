"""Fold batch norm into the preceding convolution, which saves the time and memory of a layer."""

from itertools import pairwise
from typing import TypeGuard, TypeVar

import torch
from torch import nn
from torch.nn.utils import fuse_conv_bn_eval

Network = TypeVar("Network", bound=nn.Module)
Layer = TypeVar("Layer", bound=nn.Module)


@torch.no_grad()
def fold_batch_norm(network: Network) -> Network:
    """Fold batch norm in place; the outputs stay equal up to rounding.

    Only neighbours in an ``nn.Sequential`` are folded, because only there the order of layers is
    known. They must be torch's own layers without hooks. The network cannot be trained afterwards.

    Raises ValueError if the network is in training mode.

    >>> layers = nn.Sequential(nn.Conv2d(1, 2, 3, bias=False), nn.BatchNorm2d(2), nn.ReLU())
    >>> fold_batch_norm(layers.eval())
    Sequential(
      (0): Conv2d(1, 2, kernel_size=(3, 3), stride=(1, 1))
      (1): Identity()
      (2): ReLU()
    )
    """
    if network.training:
        raise ValueError(
            "The network is in training mode, where batch norm takes each batch's own statistics. "
            "Call network.eval() first."
        )
    for layers in network.modules():
        if isinstance(layers, nn.Sequential) and type(layers).forward is nn.Sequential.forward:
            for place, (first, second) in enumerate(pairwise(list(layers))):
                if (
                    plain(first, nn.Conv2d)
                    and plain(second, nn.BatchNorm2d)
                    and second.track_running_stats
                ):
                    layers[place] = fuse_conv_bn_eval(first, second)
                    layers[place + 1] = nn.Identity()
    return network


def plain(layer: nn.Module, kind: type[Layer]) -> TypeGuard[Layer]:
    """Return whether a layer is torch's own layer of this kind, without hooks."""
    return type(layer) is kind and not (
        layer._forward_hooks or layer._forward_pre_hooks  # such as the older weight norm's
    )
