"""Segment an image file and print the peak memory of the process in bytes.

``benchmarks.inference`` runs ``python -m benchmarks.peak_memory ours|monai IMAGE``.
"""

import re
import resource
import sys
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
import torch

from unet_exp.images.image_file import open_image
from unet_exp.inference.freed_memory import keep_freed_memory
from unet_exp.inference.overlap_tile import OverlapTile
from unet_exp.inference.predictor import Predictor
from unet_exp.models.unet import UNet
from unet_exp.postprocessing.none import ClassMap
from unet_exp.prediction.outputs.choices import chosen_outputs
from unet_exp.prediction.result_files import PerImageWriter
from unet_exp.prediction.scratch import scratch
from unet_exp.prediction.segment import segment
from unet_exp.targets.foreground import Foreground


def peak() -> int:
    """Peak memory in bytes. On Linux, only VmHWM excludes the memory of the parent process."""
    status = Path("/proc/self/status")
    if status.exists() and (found := re.search(r"VmHWM:\s*(\d+) kB", status.read_text())):
        return 1024 * int(found[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def tiny() -> UNet:
    """A network so small that the image determines the memory."""
    torch.manual_seed(0)
    network = UNet(depth=1, base_channels=2, padding="same", norm="batch").eval()
    return network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]


def write_noise(path: Path, side: int) -> None:
    """Write an uncompressed TIFF of 8 bits, a few rows at a time."""
    rows = np.random.default_rng(0).integers(0, 256, (64, side), np.uint8)
    image = tifffile.memmap(path, shape=(side, side), dtype=np.uint8)
    for top in range(0, side, len(rows)):
        image[top : top + len(rows)] = rows[: side - top]
    image.flush()


def ours(path: Path) -> None:
    """Do the same as predict.py does with a file."""
    keep_freed_memory()
    predictor = Predictor([tiny()], Foreground(), OverlapTile(), ClassMap())
    output = path.with_suffix("")
    with open_image(path, 1) as opened, scratch(output) as new_array:
        found = segment(opened, "dtype", predictor, new_array)
        PerImageWriter(output, chosen_outputs(None, "tiff", "uint8")).write(path, found)


def monai(path: Path) -> None:
    """Read the whole image as one tensor, as MONAI's inferer needs it; write nothing."""
    from monai.inferers.utils import sliding_window_inference

    image = torch.from_numpy(tifffile.imread(path).astype(np.float32) / 255)
    with torch.inference_mode():
        logits: Any = sliding_window_inference(image[None, None], (512, 512), 1, tiny(), 0.25)
        logits.softmax(1)


if __name__ == "__main__":
    {"ours": ours, "monai": monai}[sys.argv[1]](Path(sys.argv[2]))
    print(peak())
