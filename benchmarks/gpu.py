"""Speed and memory of the article's network on a GPU.

- A training step on a tile of 572 x 572 pixels, in float32, TF32 and bfloat16, eager and compiled.
  The ratio is its rate of operations, divided by the rate of one large matrix product in the same
  precision, which shows what the chip can do. Steps a second belong to the median time. Memory is
  the peak after two warm-up steps; the first of them compiles.
- An image of 512 x 512 pixels. The article reports "less than a second".
- data_wait: the part of a training's time in which it waits for batches.

Without a GPU, nothing is measured.
"""

import gc
import os
import subprocess
import sys
import tempfile
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.measuring import Line, Mark, alternate, milliseconds, spread
from unet_exp.inference.overlap_tile import overlap_tile
from unet_exp.models.unet import UNet
from unet_exp.records.run_folder import RunFolder

ROOT = Path(__file__).parents[1]
#: Name, data type, and whether float32 products may be rounded to TF32.
PRECISIONS = (
    ("float32", torch.float32, False),
    ("TF32", torch.float32, True),
    ("bfloat16", torch.bfloat16, True),
)


def lines(arguments: Namespace) -> Iterator[Line]:
    quick = arguments.quick
    if not torch.cuda.is_available() and not quick:
        print("There is no GPU here: nothing to measure.", file=sys.stderr)
        return
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    for name, kind, rounded in PRECISIONS:
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = rounded
        rate = matrix_rate(128 if quick else 8192, kind, device, arguments.rounds)
        for compiled in (False,) if quick else (False, True):
            yield training(name, kind, compiled, rate, device, arguments)
    yield one_image(device, arguments)
    if quick:
        return
    data = arguments.data.resolve()
    if (data / "DIC-C2DH-HeLa").exists():
        yield waiting(data)
    else:
        told = f"There is no DIC-C2DH-HeLa in {data}, so data_wait is left out. Give --data FOLDER."
        print(told, file=sys.stderr)


def training(
    name: str,
    kind: torch.dtype,
    compiled: bool,
    rate: float,
    device: torch.device,
    arguments: Namespace,
) -> Line:
    """A step of forward, backward and SGD on one tile, relative to the rate of a matrix product."""
    forget(device)
    side = 188 if arguments.quick else 572
    torch.manual_seed(0)
    network: nn.Module = UNet(base_channels=2 if arguments.quick else 64)
    network.to(device, memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    optimizer = torch.optim.SGD(network.parameters(), 1e-4, momentum=0.99)
    image = torch.randn(1, 1, side, side, device=device)
    target = torch.randint(0, 2, (1, side - 184, side - 184), device=device)
    operations = count(network, image, target)
    if compiled:
        network.compile()

    def step() -> None:
        with torch.autocast(device.type, kind) if kind == torch.bfloat16 else nullcontext():
            logits = network(image)
        cross_entropy(logits.float(), target).backward()
        optimizer.step()
        optimizer.zero_grad()

    step()
    step()
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    taken = alternate({"step": waited(step, device)}, arguments.rounds, least=0.5)["step"]
    peak = torch.cuda.max_memory_allocated() / 2**30 if device.type == "cuda" else 0.0
    told = f"{milliseconds(taken)}, {1 / np.median(taken):.3g} steps/s, {peak:.2f} GiB"
    case = f"step in {name}, {'compiled' if compiled else 'eager'}"
    compared = "ours / rate of a matrix product"
    return Line(case, told, compared, [operations / t / rate for t in taken])


def forget(device: torch.device) -> None:
    """Free the memory of the previous row. A compiled network has references to itself."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()


def waited(function: Callable[[], object], device: torch.device) -> Callable[[], object]:
    """Call the function, and wait until the GPU has finished."""

    def run() -> None:
        function()
        if device.type == "cuda":
            torch.cuda.synchronize()

    return run


def matrix_rate(side: int, kind: torch.dtype, device: torch.device, rounds: int) -> float:
    """Operations a second in a product of two square matrices."""
    a, b = (torch.randn(side, side, device=device).to(kind) for _ in range(2))
    taken = alternate({"product": waited(lambda: a @ b, device)}, rounds)["product"]
    return 2 * side**3 / min(taken)


def count(network: nn.Module, image: torch.Tensor, target: torch.Tensor) -> int:
    """Number of operations of forward and backward; the network must not be compiled yet."""
    with FlopCounterMode(display=False) as counter:
        cross_entropy(network(image), target).backward()
    network.zero_grad()
    return counter.get_total_flops()


@torch.inference_mode()
def one_image(device: torch.device, arguments: Namespace) -> Line:
    """The article's network on a whole image, with the copies to the GPU and back."""
    side = 64 if arguments.quick else 512
    network = UNet(base_channels=2 if arguments.quick else 64).eval()
    network.to(device, memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    image = torch.randn(1, side, side)

    def segment() -> torch.Tensor:
        kind: AbstractContextManager[object] = nullcontext()
        if device.type == "cuda":
            kind = torch.autocast("cuda", torch.bfloat16)
        with kind:
            return overlap_tile(network, image.to(device)).softmax(0).cpu()

    taken = alternate({"image": segment}, arguments.rounds)["image"]
    case = f"one image, {side} x {side}"
    return Line(case, milliseconds(taken), "ours / one second", taken, Mark(at_most=1))


def waiting(data: Path) -> Line:
    """Fraction of the training time in which a step waits for its batch.

    There is one value for each interval between validations. The first interval is left out,
    because the loaders start in it.
    """
    with tempfile.TemporaryDirectory() as temporary:
        words = (
            "experiment=hela_paper", "trainer=gpu", "trainer.precision=auto", "logger=csv",
            "trainer.max_steps=600", "loader.steps_per_validation=100", "pictures.images=0",
            "trainer.limit_val_batches=1", f"hydra.run.dir={temporary}/run",
        )  # fmt: skip
        environment = {**os.environ, "UNET_EXP_DATA": str(data)}
        command = [sys.executable, str(ROOT / "train.py"), *words]
        subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
        rows = RunFolder(Path(temporary, "run")).read_metrics()
    shares = [row["data_wait"] for row in rows[1:]]
    told = f"{spread([100 * share for share in shares])} %"
    return Line("data_wait, HeLa", told, "waiting / training time", shares, Mark(at_most=0.03))
