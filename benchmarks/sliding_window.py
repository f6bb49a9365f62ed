"""Time to segment 512 x 512 pixels with a sliding-window network and with U-Net.

The sliding-window network is the one that U-Net replaced (arXiv:1505.04597, section 1). It
classifies the pixel in the middle of a window. The baseline applies it to one window for each
pixel; a sample of windows is timed, and the time for all is extrapolated. "Dense" computes the same
logits with dilated convolutions on the whole image; each run checks that they are equal. All
weights are random, which does not change the time. All threads are used.
"""

from argparse import Namespace
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from benchmarks.measuring import Line, alternate, milliseconds, over
from unet_exp.geometry import mirror_pad
from unet_exp.inference.overlap_tile import overlap_tile
from unet_exp.models.sliding_window import WINDOW, SlidingWindow
from unet_exp.models.unet import UNet

#: Windows in a batch. Larger batches are no faster on a CPU.
BATCH = 64
#: Number of batches in the sample that is timed.
SAMPLE = 8


def window_by_window(network: nn.Module, image: Tensor, pixels: Tensor) -> Tensor:
    """Logits (n, k) of ``pixels`` of an image (c, h, w); pixels are numbered row by row."""
    padded, columns = mirror_pad(image, *[WINDOW // 2] * 4), image.shape[-1]
    logits = []
    for batch in pixels.split(BATCH):
        places = [divmod(int(pixel), columns) for pixel in batch]
        windows = [padded[:, y : y + WINDOW, x : x + WINDOW] for y, x in places]
        logits.append(network(torch.stack(windows)).flatten(1))
    return torch.cat(logits)


@torch.inference_mode()
def lines(arguments: Namespace) -> Iterator[Line]:
    torch.manual_seed(0)
    side = 24 if arguments.quick else 512
    image = torch.randn(1, side, side)
    n4 = SlidingWindow()
    networks = {
        "sliding-window network, dense": n4,
        "U-Net, model=unet_small": UNet(base_channels=16, padding="same", norm="batch"),
        "U-Net, model=unet": UNet(),
    }
    for network in networks.values():
        network.eval().to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    every = torch.arange(side * side)
    pixels = torch.randperm(len(every))[: BATCH * SAMPLE]
    dense, single = overlap_tile(n4, image), window_by_window(n4, image, pixels)
    torch.testing.assert_close(dense.flatten(1)[:, pixels].T, single, rtol=0, atol=1e-5)
    functions = {
        name: lambda network=network: overlap_tile(network, image)
        for name, network in networks.items()
    }
    peer = {"windows": lambda: window_by_window(n4, image, pixels)}
    times = alternate(peer | functions, arguments.rounds)
    windows = [seconds * len(every) / len(pixels) for seconds in times["windows"]]
    for name in networks:
        compared = "one window for each pixel / ours"
        yield Line(name, milliseconds(times[name]), compared, over(windows, times[name]))
