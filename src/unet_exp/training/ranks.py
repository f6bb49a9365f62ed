"""Exchange data between the processes of a training; a single process exchanges nothing."""

import time
from collections.abc import Iterable

import torch
import torch.distributed as dist
from torch import Tensor


def rank_and_world() -> tuple[int, int]:
    """Return the rank of this process, and the number of processes.

    >>> rank_and_world()
    (0, 1)
    """
    if not (dist.is_available() and dist.is_initialized()):
        return 0, 1
    return dist.get_rank(), dist.get_world_size()


def leave() -> None:
    """Leave the process group, if there is one.

    Otherwise its threads continue to run while the process ends, and may crash it.
    """
    if dist.is_available() and dist.is_initialized():
        dist.destroy_process_group()
        # A thread of gloo may still wait for Python's global lock, to free the tensors of the last
        # exchange. It gets the lock during this sleep. Without it, Python would abort at its end.
        time.sleep(0.2)


def gathered(tensor: Tensor) -> Tensor:
    """Return the tensors of all processes along a new first axis, by rank.

    >>> gathered(torch.tensor([1.0, 2.0]))
    tensor([[1., 2.]])
    """
    _, world = rank_and_world()
    if world == 1:
        return tensor[None]
    every = [torch.empty_like(tensor) for _ in range(world)]
    dist.all_gather(every, tensor.contiguous())
    return torch.stack(every)


@torch.no_grad()
def average(tensors: Iterable[Tensor]) -> None:
    """Replace tensors of one dtype by their mean over all processes.

    A single process does not read the iterable, because listing a network's tensors takes 0.3 ms.
    """
    _, world = rank_and_world()
    if world == 1 or not (tensors := list(tensors)):
        return
    flat = torch.cat([tensor.flatten() for tensor in tensors])
    dist.all_reduce(flat)
    means = (flat / world).split([tensor.numel() for tensor in tensors])
    for tensor, mean in zip(tensors, means, strict=True):
        tensor.copy_(mean.view_as(tensor))


def share(count: int, rank: int, world: int) -> range:
    """Return the range of indices of ``count`` images that a process takes.

    The ranges have equal lengths. If ``count`` is no multiple of ``world``, the first processes get
    one image more.

    >>> [list(share(5, rank, 3)) for rank in range(3)]
    [[0, 1], [2, 3], [4]]
    """
    each, rest = divmod(count, world)
    first = rank * each + min(rank, rest)
    return range(first, first + each + (rank < rest))
