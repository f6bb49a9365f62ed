"""Time, accuracy and memory of segmenting large images tile by tile.

The overlap-tile strategy is compared with MONAI's sliding_window_inference, with its common
overlaps of 0.25 and 0.5. All threads are used.

Time: Both use the same network, image and process, and both return logits. The network is prepared
as in predict.py: channels_last, with folded batch norms; the process keeps freed memory. MONAI gets
the window size (256, 512 or 1024 pixels) and batch size (1 or 4) with the shortest estimated time:
the number of windows multiplied by the measured time for one. No window is longer than half the
image, so that there are always seams. There are at most three rounds. At an overlap of 0.5, only
constant blending is timed, because Gaussian blending computes the same windows.

Error: the largest (and the mean) difference in probability from the result of the whole image in
one pass. Each side is compared with a whole image that has its own padding: mirrored pixels here,
zeros for MONAI. MONAI uses the windows of the timing. A goal of 0.01 means an error that is 100
times smaller.

Memory: the peak of a process that segments a file with a tiny network. Ours is all of predict.py,
from reading the file to writing the results. MONAI's is reading the file and the inferer.
"""

import subprocess
import sys
import tempfile
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.data.utils import dense_patch_slices
from monai.inferers.utils import sliding_window_inference
from torch import Tensor, nn

from benchmarks.measuring import Line, Mark, alternate, over, seconds, spread
from benchmarks.peak_memory import write_noise
from unet_exp.geometry import mirror_pad
from unet_exp.inference.folding import fold_batch_norm
from unet_exp.inference.freed_memory import keep_freed_memory
from unet_exp.inference.overlap_tile import overlap_tile
from unet_exp.models.unet import UNet

Window = tuple[int, int]
"""Side in pixels, and number of windows in a batch."""
PEERS = ((0.25, "constant", 1), (0.5, "constant", 2), (0.5, "gaussian", None))
"""Overlap, blending, and the goal for MONAI's time divided by ours (None: not timed)."""
WINDOWS = ((256, 1), (256, 4), (512, 1), (512, 4), (1024, 1))
SIDES = {"ours": (4096, 8192, 16384), "monai": (4096, 8192)}
"""Sides of the images whose peak memory is measured. Each is compared with the first."""


def small(quick: bool) -> UNet:
    """The default network, model=unet_small, trained for a few steps to find blobs in noise."""
    depth, channels, side, steps = (1, 4, 32, 5) if quick else (4, 16, 160, 40)
    network = UNet(1, 2, depth, channels, padding="same", norm="batch", dropout=0)
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3)
    for _ in range(steps):
        images, targets = zip(*(picture(side) for _ in range(4)), strict=True)
        optimizer.zero_grad()
        logits = network(torch.stack(images))
        nn.functional.cross_entropy(logits, torch.stack(targets)).backward()
        optimizer.step()
    return prepared(network)


def prepared(network: UNet) -> UNet:
    """The network as predict.py prepares it."""
    network = fold_batch_norm(network.eval()).requires_grad_(requires_grad=False)
    return network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]


def picture(side: int) -> tuple[Tensor, Tensor]:
    """Image (1, side, side) of blobs of about ten pixels in noise, and their mask (side, side)."""
    spots = torch.randn(1, 1, side // 8, side // 8)
    blobs = nn.functional.interpolate(spots, size=(side, side), mode="bicubic")[0]
    return blobs + torch.randn(1, side, side), (blobs[0] > 0).long()


def monai(
    network: Callable[[Tensor], Tensor], image: Tensor, window: Window, overlap: float, mode: str
) -> Tensor:
    """Logits (k, h, w)."""
    side, batch = window
    found: Any = sliding_window_inference(image[None], (side, side), batch, network, overlap, mode)
    return found[0]


def best_windows(network: UNet, side: int, overlaps: Sequence[float]) -> dict[float, Window]:
    """For each overlap, the window with which MONAI should be fastest."""
    some = [window for window in WINDOWS if window[0] <= side // 2] or [(side // 2, 1)]
    each = {window: forward(network, *window) / window[1] for window in some}

    def estimate(window: Window, overlap: float) -> float:
        length, step = window[0], int(window[0] * (1 - overlap))
        return each[window] * len(dense_patch_slices((side,) * 2, (length,) * 2, (step,) * 2))

    return {overlap: min(some, key=partial(estimate, overlap=overlap)) for overlap in overlaps}


def forward(network: UNet, length: int, batch: int) -> float:
    """Seconds for one batch of random windows."""
    windows = torch.randn(batch, 1, length, length).to(memory_format=torch.channels_last)
    return min(seconds(lambda: network(windows)) for _ in range(2))


def whole(network: UNet, image: Tensor) -> Tensor:
    """Logits of the mirrored image in one pass."""
    halo, (height, width) = network.halo, image.shape[-2:]
    sides = [network.fitting_sizes(size + 2 * halo)[1] for size in (height, width)]
    around = (halo, sides[0] - height - halo, halo, sides[1] - width - halo)
    first = halo if network.padding == "same" else 0
    logits = network(mirror_pad(image, *around)[None])[0]
    return logits[:, first : first + height, first : first + width]


def apart(found: Tensor, expected: Tensor) -> tuple[float, float]:
    """The largest and the mean difference in probability."""
    difference = (found.softmax(0) - expected.softmax(0)).abs()
    return float(difference.max()), float(difference.mean())


def lines(arguments: Namespace) -> Iterator[Line]:
    keep_freed_memory()
    torch.manual_seed(0)
    quick = arguments.quick
    network = small(quick)
    side = 64 if quick else 4096
    rounds = min(arguments.rounds, 3)  # a round takes almost a minute
    with torch.inference_mode():
        windows = best_windows(network, side, (0.25, 0.5))
        yield from times(network, side, windows, rounds)
        if not quick:
            yield from article(rounds)
        yield from errors(network, windows)
    yield from memory(quick)


def times(network: UNet, side: int, windows: Mapping[float, Window], rounds: int) -> Iterator[Line]:
    """Seconds for an image."""
    image, _ = picture(side)
    peers = {
        named(overlap, mode, windows[overlap]): (
            partial(monai, network, image, windows[overlap], overlap, mode),
            goal,
        )
        for overlap, mode, goal in PEERS
        if goal
    }
    yield from against(f"{side} x {side}, unet_small", network, image, peers, rounds)


def named(overlap: float, mode: str, window: Window) -> str:
    count, side = window[1], window[0]
    windows = f"{count} windows of {side}" if count > 1 else f"1 window of {side}"
    return f"MONAI, overlap {overlap:g}, {mode}, {windows}"


def article(rounds: int) -> Iterator[Line]:
    """The article's network; MONAI gets a padded one, because its windows must keep their size."""
    network, padded = prepared(UNet()), prepared(UNet(padding="same"))
    padded.load_state_dict(network.state_dict())
    image, _ = picture(1024)
    window = best_windows(padded, 1024, (0.25,))[0.25]
    peer = partial(monai, padded, image, window, 0.25, "constant")
    told = f"{named(0.25, 'constant', window)}, padded network"
    yield from against("1024 x 1024, article's network", network, image, {told: (peer, 1)}, rounds)


def against(
    case: str,
    network: UNet,
    image: Tensor,
    peers: Mapping[str, tuple[Callable[[], Tensor], float]],
    rounds: int,
) -> Iterator[Line]:
    """Time ours and the peers in turn. Each peer comes with the goal for its time divided by ours.

    A small image goes first, to load kernels. There is no other warm-up: a pass takes so long that
    the rest of the preparation does not matter.
    """
    overlap_tile(network, image[:, :64, :64])
    functions: dict[str, Callable[[], Tensor]] = {"ours": partial(overlap_tile, network, image)}
    functions |= {told: peer for told, (peer, _) in peers.items()}
    taken = alternate(functions, rounds, warm=False)
    for told, (_, goal) in peers.items():
        ratios = over(taken[told], taken["ours"])
        yield Line(case, f"{spread(taken['ours'])} s", f"{told} / ours", ratios, Mark(goal))


def errors(network: UNet, windows: Mapping[float, Window]) -> Iterator[Line]:
    """Differences of both sides from the whole image in one pass.

    The side of the image is twice that of the longest window.
    """
    side = 2 * max(length for length, _ in windows.values())
    image, _ = picture(side)
    tile = network.fitting_sizes(side // 2 + 2 * network.halo)[1]
    mine = apart(overlap_tile(network, image, tile), whole(network, image))
    # Windows at the border see zeros beyond it, as the whole image does. So only seams count.
    expected = network(image[None])[0]
    for overlap, mode, _ in PEERS:
        theirs = apart(monai(network, image, windows[overlap], overlap, mode), expected)
        told = f"ours / MONAI, overlap {overlap:g}, {mode}: {difference(*theirs)}"
        case = f"error, {side} x {side}"
        yield Line(case, difference(*mine), told, [mine[0] / theirs[0]], Mark(at_most=0.01))


def difference(largest: float, mean: float) -> str:
    return f"{largest:.2g} (mean {mean:.2g})"


def memory(quick: bool) -> Iterator[Line]:
    """Peak memory of processes, including the memory that the import of torch takes."""
    sides = {"ours": (256, 512), "monai": ()} if quick else SIDES
    with tempfile.TemporaryDirectory() as folder:
        for who, name, mark in (("ours", "ours", Mark(at_most=1.1)), ("monai", "MONAI", None)):
            if not sides[who]:
                continue
            peaks = {side: peaks_of(who, Path(folder), side, quick) for side in sides[who]}
            first, *others = peaks
            least = float(np.median(peaks[first]))
            for side in others:
                case = f"peak memory, {name}, {side} x {side}"
                compared = f"{side} / {first} pixels a side ({least:,.0f} MB)"
                ratios = [found / least for found in peaks[side]]
                yield Line(case, f"{spread(peaks[side])} MB", compared, ratios, mark)


def peaks_of(who: str, folder: Path, side: int, quick: bool) -> list[float]:
    """Measure three times, because fragmentation of the memory differs between processes.

    MONAI, which has no goal here, and the largest image, which takes a minute, are measured once.
    """
    count = 1 if quick or who == "monai" or side == max(SIDES["ours"]) else 3
    return [peak(who, folder / f"{who}{side}.tif", side) for _ in range(count)]


def peak(who: str, path: Path, side: int) -> float:
    """Peak memory of one process in megabytes."""
    write_noise(path, side)
    words = [sys.executable, "-m", "benchmarks.peak_memory", who, str(path)]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    path.unlink()
    return int(done.stdout) / 1e6
