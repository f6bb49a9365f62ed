"""Augmented samples as training sees them: image, target and weights in a row for each."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Shaped, UInt8

from unet_exp.pictures.colours import ERRORS, coloured, picture, resized
from unet_exp.pictures.page import Page, finished

SIDE = 320  # pixels of the longer side of each picture
FRAME = (240, 228, 66)


def contact_sheet(
    samples: Sequence[Mapping[str, np.ndarray]], path: Path | str | None = None
) -> UInt8[np.ndarray, "H W 3"]:
    """Draw a row for each sample; write a PNG to ``path``.

    A sample has "image" (c, H, W), "weights" (h, w) and "target": classes (h, w) with -1 for
    unknown, or numbers (c, h, w), drawn channel by channel. "labels", instances (h, w), replace the
    target if given. If the image is larger than the target, as for unpadded networks, a frame shows
    the part that has a target.

    >>> sample = {"image": np.ones((1, 8, 8)), "target": np.eye(4, dtype=int)}
    >>> contact_sheet([{**sample, "weights": np.ones((4, 4))}]).shape[2]
    3
    """
    if not samples:
        raise ValueError("There are no samples to draw. Give at least one.")
    height, width = samples[0]["image"].shape[-2:]
    scale = SIDE / max(height, width)
    size = round(height * scale), round(width * scale)
    targets = [planes(sample.get("labels", sample["target"])) for sample in samples]
    channels = len(targets[0])
    page = Page(len(samples), 2 + channels, *size, "Augmented samples")
    top = max(float(np.nanmax(sample["weights"], initial=0.0)) for sample in samples)
    low = min(float(target.min()) for target in targets)
    high = max(float(target.max()) for target in targets)
    for row, (sample, target) in enumerate(zip(samples, targets, strict=True)):
        image = sample["image"]
        heads = ("Image", "Target", "Weight map") if row == 0 else ("", "", "")
        rows, columns = centre(image.shape[-2:], target.shape[-2:])
        whole = picture(image, *size)
        if rows.start or columns.start:
            first = round(columns.start * scale), round(rows.start * scale)
            last = round(columns.stop * scale) - 1, round(rows.stop * scale) - 1
            cv2.rectangle(whole, first, last, FRAME, thickness=2)
        page.show(row, 0, whole, heads[0])
        for column, plane in enumerate(target, 1):
            shown = resized(plane, *size)
            if shown.dtype.kind == "f":
                page.show_numbers(row, column, shown, "viridis", low, high, heads[1])
                continue
            inner = picture(image[..., rows, columns], *size)
            page.show(row, column, coloured(inner, shown.astype(np.int64)), heads[1])
            if (shown < 0).any():
                page.legend(row, column, {"unknown": ERRORS["unknown"]})
        weights = resized(sample["weights"], *size)
        page.show_numbers(row, 1 + channels, weights, "magma", 0, top, heads[2])
    return finished(page, path)


def planes(target: Shaped[np.ndarray, "*c h w"]) -> Shaped[np.ndarray, "c h w"]:
    """Return a target with an axis of channels."""
    return target.reshape(-1, *target.shape[-2:])


def centre(outer: tuple[int, ...], inner: tuple[int, ...]) -> tuple[slice, slice]:
    """Return rows and columns of the middle part of an image.

    >>> centre((572, 572), (388, 388))
    (slice(92, 480, None), slice(92, 480, None))
    """
    rows, columns = ((a - b) // 2 for a, b in zip(outer, inner, strict=True))
    return slice(rows, rows + inner[0]), slice(columns, columns + inner[1])
