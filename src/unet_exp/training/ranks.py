"""What the processes of one training tell each other; a training in one process is its own sum."""

import time
from collections.abc import Iterable

import torch
import torch.distributed as dist
from torch import Tensor


def rank_and_world() -> tuple[int, int]:
    """Return the number of this process, from 0, and how many there are.

    >>> rank_and_world()
    (0, 1)
    """
    if not (dist.is_available() and dist.is_initialized()):
        return 0, 1
    return dist.get_rank(), dist.get_world_size()


def leave() -> None:
    """End what this process shares with the others, if anything.

    Else its threads for that run on while the process ends, and may take it down.
    """
    if dist.is_available() and dist.is_initialized():
        dist.destroy_process_group()
        # A thread of gloo may still wait for Python's lock, to let go of the tensors of the last
        # exchange. It gets the lock while this one sleeps; when Python ends, it would abort.
        time.sleep(0.2)


def gathered(tensor: Tensor) -> Tensor:
    """Return the tensors of all processes, in their order, along a new first axis.

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
    """Replace tensors of one type by their mean over all processes.

    A single process does not even look at them: to list a network's takes a third of a millisecond.
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
    """Return which of ``count`` images fall to a process: neighbours, as many as to any other.

    Where they cannot be, the first processes have one more.

    >>> [list(share(5, rank, 3)) for rank in range(3)]
    [[0, 1], [2, 3], [4]]
    """
    each, rest = divmod(count, world)
    first = rank * each + min(rank, rest)
    return range(first, first + each + (rank < rest))
