"""Pictures that jobs left, small enough to stand in a page as text."""

import base64
import math
import re
import struct
from pathlib import Path

from unet_exp.records.sweep import Run

#: Pixels that a picture in the page is wide at most.
WIDTH = 1400
#: Pixels that a picture has at most to be read; training draws some millions.
LARGEST = 2**26
#: At most so many pictures of a job are shown.
MOST = 3


def last_pictures(job: Run, most: int = MOST) -> dict[str, Path]:
    """Name the last picture that a job drew of each image; its learning curves are no such."""
    found: dict[str, Path] = {}
    for path in sorted(job.pictures):
        name = re.sub(r"_step_\d+$", "", path.stem)
        if name != "learning_curves" and path.is_file():
            found[name] = path
    return dict(list(found.items())[:most])


def as_uri(path: Path, width: int = WIDTH) -> str | None:
    """Return a picture as a ``data:`` address, scaled down to a width; None if it is none."""
    import cv2

    if png_pixels(path) > LARGEST:
        return None
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        return None
    if picture.shape[1] > width:
        height = max(1, round(picture.shape[0] * width / picture.shape[1]))
        picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    encoded = cv2.imencode(".webp", picture, [cv2.IMWRITE_WEBP_QUALITY, 82])[1]
    return f"data:image/webp;base64,{base64.b64encode(encoded.tobytes()).decode()}"


def png_pixels(path: Path) -> float:
    """Return how many pixels a PNG declares; infinity for any other file, which is not read."""
    with path.open("rb") as file:
        head = file.read(24)
    if head[:8] != b"\x89PNG\r\n\x1a\n" or len(head) < 24:
        return math.inf
    return math.prod(struct.unpack(">II", head[16:]))
