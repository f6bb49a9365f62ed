"""An image of 512 x 512 pixels: window by window, densely, and by U-Net (arXiv:1505.04597, 1).

python -m benchmarks.sliding_window [--rounds N] [--threads N] [--side N] [--full] [--quick]

Window by window, a sample is timed and scaled up to all windows, unless --full is given. Weights
are random, which costs the same time; that both forms of the sliding window give the same logits
is checked in the same run. Ratios are the claim: they are taken within a round, so that a busy
machine slows all sides alike.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from unet_exp.geometry import mirror_pad
from unet_exp.inference.overlap_tile import overlap_tile
from unet_exp.models.sliding_window import WINDOW, SlidingWindow
from unet_exp.models.unet import UNet

#: Windows in a batch; more are no faster on a CPU.
BATCH = 64
#: Batches that are timed when the sample is scaled up.
SAMPLE = 8


def window_by_window(network: nn.Module, image: Tensor, pixels: Tensor) -> Tensor:
    """Logits (n, k) of ``pixels``, numbered row by row, of an image (c, h, w)."""
    padded, columns = mirror_pad(image, *[WINDOW // 2] * 4), image.shape[-1]
    logits = []
    for batch in pixels.split(BATCH):
        places = [divmod(int(pixel), columns) for pixel in batch]
        windows = [padded[:, y : y + WINDOW, x : x + WINDOW] for y, x in places]
        logits.append(network(torch.stack(windows)).flatten(1))
    return torch.cat(logits)


def seconds(function: Callable[[], Tensor]) -> tuple[float, Tensor]:
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def spread(values: list[float]) -> str:
    low, middle, high = np.percentile(values, [0, 50, 100])
    digits = 2 if middle < 100 else 0
    return f"{middle:10,.{digits}f} ({low:,.{digits}f} to {high:,.{digits}f})"


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--side", type=int, default=512, help="pixels along the image's sides")
    parser.add_argument("--full", action="store_true", help="time every window of the image")
    parser.add_argument("--quick", action="store_true", help="24 x 24 pixels, to see that it runs")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    side = 24 if arguments.quick else arguments.side
    rounds = 1 if arguments.quick else arguments.rounds
    image = torch.randn(1, side, side)
    n4 = SlidingWindow()
    networks = {
        "sliding window, densely": n4,
        "U-Net, model=unet_small": UNet(base_channels=16, padding="same", norm="batch"),
        "U-Net, model=unet": UNet(),
    }
    for network in networks.values():
        network.eval().to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        overlap_tile(network, image[:, :64, :64])  # the first pass prepares kernels

    every = torch.arange(side * side)
    pixels = every if arguments.full else torch.randperm(len(every))[: BATCH * SAMPLE]
    times: dict[str, list[float]] = {name: [] for name in ["window by window", *networks]}
    worst = 0.0
    for _ in range(rounds):
        spent, single = seconds(lambda: window_by_window(n4, image, pixels))
        times["window by window"].append(spent * len(every) / len(pixels))
        for name, network in networks.items():
            spent, logits = seconds(lambda network=network: overlap_tile(network, image))
            times[name].append(spent)
            if network is n4:
                dense = logits.flatten(1)[:, pixels].T
                torch.testing.assert_close(dense, single, rtol=0, atol=1e-5)
                worst = max(worst, float((dense - single).abs().max()))

    print(f"{side} x {side} pixels, {len(every):,} windows, {arguments.threads} threads, float32")
    print(f"{'':28}{'seconds':>26}{'window by window / this':>30}")
    for name, own in times.items():
        ratios = [w / t for w, t in zip(times["window by window"], own, strict=True)]
        print(f"{name:28}{spread(own):>26}{spread(ratios):>30}")
    if not arguments.full:
        print(f"window by window: {len(pixels)} windows, scaled up")
    print(f"densely, the logits of {len(pixels):,} windows differ by {worst:.1e} at most")


if __name__ == "__main__":
    main()
