"""Pictures of jobs, scaled down and embedded in the page."""

import base64
import math
import re
import struct
from pathlib import Path

from unet_exp.records.sweep import Run

#: Largest width of a picture in the page, in pixels.
WIDTH = 1400
#: Pixels of the largest picture that is read; those of a training have some millions.
LARGEST = 2**26
#: Most pictures of a job that are shown.
MOST = 3


def last_pictures(job: Run, most: int = MOST) -> dict[str, Path]:
    """Return the last picture of each image in a job, without the learning curves."""
    found: dict[str, Path] = {}
    for path in sorted(job.pictures):
        name = re.sub(r"_step_\d+$", "", path.stem)
        if name != "learning_curves" and path.is_file():
            found[name] = path
    return dict(list(found.items())[:most])


def as_uri(path: Path, width: int = WIDTH) -> str | None:
    """Return a picture, scaled down, as a ``data:`` address; None if it cannot be read."""
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
    """Return the number of pixels that a PNG declares; infinity for any other file."""
    with path.open("rb") as file:
        head = file.read(24)
    if head[:8] != b"\x89PNG\r\n\x1a\n" or len(head) < 24:
        return math.inf
    return math.prod(struct.unpack(">II", head[16:]))
