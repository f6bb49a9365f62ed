"""Time of a training step, against the shortest time that its arithmetic and its memory allow.

A step is forward, loss, backward, AdamW and the average of the weights (EMA), in training's
precision on this machine. Each operation of torch is timed, and its arithmetic and its bytes are
counted: each array that it reads or writes counts once, also if the operation has to read it twice.
Its floor is the longer one of two times: that of the arithmetic at the speed of a bare matrix
product of the same precision, and that of the bytes at the speed of a bare copy. Products and
copies of several sizes are tried; the fastest counts, so the floor is that of data in the
processor's caches. The floor of a part or of a step is the sum of those of its operations. So it
could be lower only if several operations became one.

"article's net" is model=unet with a tile of 572 pixels. "small net" is model=unet_small with the
batch that is planned for HeLa. Both get made-up tiles. All run on one thread, and the processor's
seconds count, so that other work on the machine matters little.
"""

import re
from argparse import Namespace
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from benchmarks.composing import composed
from benchmarks.measuring import Line, milliseconds, over, spread, threads
from unet_exp.configuration.objects import build
from unet_exp.inference.freed_memory import keep_freed_memory
from unet_exp.training.ema import WeightEMA
from unet_exp.training.trainer import best_precision

#: Parts of a step, by a word in the names of torch's operations. The first that fits counts.
PARTS = {
    "batch_norm": "batch norm", "relu": "ReLU", "threshold": "ReLU", "pool": "pooling",
    "cat": "concatenation", "softmax": "loss", "nll_loss": "loss", "adamw": "AdamW", "lerp": "EMA",
    "_to_copy": "conversions of precision",
}  # fmt: skip
#: Overrides, the side and number of the tiles, and how many steps a round takes the fastest of.
CASES = {
    "small net": (["model=unet_small"], 192, 4, 3),
    "article's net": (["model=unet"], 572, 1, 1),
}
QUICK = {"small net": (["model=unet_small", "model.base_channels=2"], 64, 1, 1)}


@dataclass(frozen=True)
class Machine:
    """Operations a second of a bare matrix product, by type, and bytes a second of a bare copy."""

    products: dict[torch.dtype, float]
    copy: float

    def floor(self, dtype: torch.dtype, operations: int, size: int) -> float:
        """Return the shortest time for some operations and bytes."""
        arithmetic = operations / self.products.get(dtype, self.products[torch.float32])
        return max(arithmetic, size / self.copy)


@dataclass
class Part:
    """What the operations of one part take, need and do."""

    seconds: float = 0.0
    floor: float = 0.0
    operations: int = 0
    size: int = 0


class Watched(TorchDispatchMode):
    """Times and counts all operations of torch."""

    def __init__(self, machine: Machine) -> None:
        super().__init__()
        self.machine = machine
        self.parts: dict[str, Part] = defaultdict(Part)

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        start = process_time()
        result = func(*args, **(kwargs or {}))
        taken = process_time() - start
        name, count = func.overloadpacket.__name__, flop_registry.get(func.overloadpacket)
        read, written = tensors((args, kwargs)), tensors(result)
        places = {tensor.untyped_storage().data_ptr() for tensor in read}
        is_view = {tensor.untyped_storage().data_ptr() for tensor in written} <= places
        size = 0
        if name.endswith("_") or not (is_view or "empty" in name):
            size = sum(tensor.numel() * tensor.element_size() for tensor in [*read, *written])
        operations = count(*args, **(kwargs or {}), out_val=result) if count else 0
        dtype = read[0].dtype if read else torch.float32
        part = self.parts[part_of(name, args)]
        part.seconds += taken
        part.floor += self.machine.floor(dtype, operations, size)
        part.operations += operations
        part.size += size
        return result


def tensors(values: Any) -> list[Tensor]:
    """Return each tensor in nested containers once."""
    return list({id(x): x for x in tree_leaves(values) if isinstance(x, Tensor)}.values())


def part_of(name: str, arguments: tuple[Any, ...]) -> str:
    if name.startswith("convolution"):
        is_transposed = arguments[6 if name == "convolution" else 7]
        return "up-sampling" if is_transposed else "convolutions"
    return next((part for word, part in PARTS.items() if word in name), "other operations")


def training_step(overrides: list[str], side: int, count: int) -> Callable[[], None]:
    """Return a function that trains a network on ``count`` made-up tiles."""
    cfg = composed(Path(), *overrides)
    network = build(cfg.model).train().to(memory_format=torch.channels_last)
    output = network.output_size(side)
    image = torch.randn(count, 1, side, side).contiguous(memory_format=torch.channels_last)
    target, weights = torch.randint(2, (count, output, output)), torch.rand(count, output, output)
    loss, optimizer = build(cfg.loss), build(cfg.optimizer)(network.parameters())
    update: Any = WeightEMA(0.995).update
    averages = AveragedModel(network, multi_avg_fn=update, use_buffers=True)
    half = best_precision("cpu") != "32-true"

    def step() -> None:
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            logits = network(image)
        loss(logits, target, weights).backward()
        optimizer.step()
        averages.update_parameters(network)

    return step


def speeds(quick: bool) -> dict[str, list[tuple[Callable[[], object], float]]]:
    """Return bare matrix products and copies of several sizes, and their operations or bytes."""
    found: dict[str, list[tuple[Callable[[], object], float]]] = defaultdict(list)
    for side in (64,) if quick else (1024, 2048):
        for dtype in (torch.float32, torch.bfloat16):
            one = torch.randn(side, side).to(dtype)
            into = torch.empty_like(one)
            found[str(dtype)].append((partial(torch.mm, one, one, out=into), 2 * side**3))
    for size in (2**16,) if quick else (2**18, 2**20, 2**22, 2**24, 2**26):
        source = torch.zeros(size)
        found["copy"].append((partial(source.clone().copy_, source), 2 * source.nbytes))
    return found


def seconds(function: Callable[[], object]) -> float:
    """Return the processor's seconds that a function takes."""
    start = process_time()
    function()
    return process_time() - start


def fastest(tried: list[tuple[Callable[[], object], float]]) -> float:
    """Return the largest number of operations or bytes a second."""
    return max(count / min(seconds(run) for _ in range(3)) for run, count in tried)


def processor_instructions() -> str:
    """Return which instructions for matrices the processor has, as Linux names them."""
    facts = Path("/proc/cpuinfo")
    names = set(re.findall(r"\w+", facts.read_text())) if facts.exists() else set()
    asked = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")
    return ", ".join(f"{'' if name in names else 'no '}{name}" for name in asked)


def lines(arguments: Namespace) -> Iterator[Line]:
    threads(1)
    keep_freed_memory()
    bare = speeds(arguments.quick)
    machines: list[Machine] = []
    for title, (overrides, side, count, steps) in (QUICK if arguments.quick else CASES).items():
        step = training_step(overrides, side, count)
        step()
        taken: list[float] = []
        rounds: list[dict[str, Part]] = []
        for _ in range(arguments.rounds):
            found = {name: fastest(tried) for name, tried in bare.items()}
            products = {d: found[str(d)] for d in (torch.float32, torch.bfloat16)}
            machines.append(Machine(products, found["copy"]))
            taken.append(min(seconds(step) for _ in range(steps)))
            with Watched(machines[-1]) as watched:
                step()
            rounds.append(watched.parts)
        yield from of_step(f"{title}, {count} x {side} x {side}", taken, rounds)
    yield from of_machine(machines)


def of_machine(machines: list[Machine]) -> Iterator[Line]:
    """Return rows on the bare operations."""
    half, whole = ([m.products[d] for m in machines] for d in (torch.bfloat16, torch.float32))
    told = spread([value / 1e9 for value in half])
    case = f"matrix product in bfloat16, {processor_instructions()}"
    yield Line(case, f"{told} GFLOP/s", "ours / float32", over(half, whole))
    told = spread([machine.copy / 1e9 for machine in machines])
    balance = [machine.copy / machine.products[torch.bfloat16] for machine in machines]
    yield Line("copy, bytes read and written", f"{told} GB/s", "bytes for each operation", balance)


def of_step(case: str, taken: list[float], rounds: list[dict[str, Part]]) -> Iterator[Line]:
    """Return a row on the step, and one on each part, the longest first."""
    floors = [sum(part.floor for part in parts.values()) for parts in rounds]
    rate = spread([1 / value for value in taken])
    told = f"{milliseconds(taken)}, {rate} steps/s"
    yield Line(f"{case}: step", told, "floor / ours", over(floors, taken))
    names = sorted(rounds[0], key=lambda n: -float(np.median([p[n].seconds for p in rounds])))
    for name in names:
        parts = [found[name] for found in rounds]
        if not parts[0].size:
            continue
        work = f"{parts[0].operations / 1e9:,.1f} GFLOP, {parts[0].size / 1e6:,.0f} MB"
        spent, least = [p.seconds for p in parts], [p.floor for p in parts]
        told = milliseconds(spent)
        yield Line(f"{case}: {name}", told, f"ours / floor of {work}", over(spent, least))
