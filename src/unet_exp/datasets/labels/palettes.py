"""PNG files of labels with a palette: read the indices, or the greys of the palette."""

from io import BytesIO
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL.PngImagePlugin import PngImageFile

from unet_exp.datasets.labels.numbering import Numbers
from unet_exp.images.display import display_of_orientation, warn_once
from unet_exp.images.errors import naming_damage
from unet_exp.images.png import exif_orientation


def palette_indices(path: Path) -> Numbers | None:
    """Return the labels in a PNG with a palette, in the displayed orientation, else None.

    The labels are the indices, as VOC, labelme and Fiji write them. They are the grey values only
    if the palette comes from a program that compresses files, see `is_shrunk_grey`.
    """
    if not path.is_file():
        return None
    with path.open("rb") as file:
        head = file.read(26)
        if not head.startswith(b"\x89PNG") or head[25:] != b"\3":
            return None
        data = head + file.read()
    with naming_damage(path):
        image = PngImageFile(BytesIO(data))
        indices = np.array(image)
        palette = np.array(image.getpalette("RGB"), np.uint8).reshape(-1, 3)
        indices = display_of_orientation(path, exif_orientation(data)).turn(indices)
    used = np.unique(indices)
    if is_shrunk_grey(palette, used):
        meaning = "the greys that the palette shows, since it holds these alone: black"
        indices = palette[:, 0][indices]
    else:
        meaning = _unusual_palette(palette[used[used < len(palette)]], has_zero=bool(used[0] == 0))
    if meaning:
        warn_once(path, f"its labels are read as {meaning} is the background.")
    return indices


def _unusual_palette(colours: UInt8[np.ndarray, "n 3"], has_zero: bool) -> str:
    """Return a description of unusual colours; empty for a usual palette of labels."""
    if len(np.unique(colours, axis=0)) > 1 and (colours == colours[:, :1]).all():
        return "indices of a palette of greys: 0"
    if has_zero and colours[0].any() and not colours.any(1).all():
        return "indices of a palette, in which 0 is not black though another is: 0"
    return ""


def is_shrunk_grey(palette: UInt8[np.ndarray, "n 3"], used: UInt8[np.ndarray, " m"]) -> bool:
    """Return whether a program that compresses files has made a palette of a picture's greys.

    Such a palette holds each grey of the picture once and no other colour; repetitions may fill it
    up. A lookup table also holds other colours, or has three or more greys in even steps from black
    to white.

    >>> def shrunk(*greys, used):
    ...     palette = np.array([greys] * 3, np.uint8).T
    ...     return is_shrunk_grey(palette, np.array(used, np.uint8))
    >>> shrunk(0, 7, 2, used=[0, 1, 2]), shrunk(255, 0, used=[0, 1])
    (True, True)
    >>> shrunk(0, 128, 255, used=[0, 1, 2]), shrunk(255, 254, 253, 252, used=[0, 3])
    (False, False)
    """
    if used.size and int(used.max()) >= len(palette):
        return False
    greys = palette[used][:, 0].astype(int)
    are_unique = len(np.unique(greys)) == len(used)
    if not are_unique or (palette != palette[:, :1]).any() or {*palette[:, 0]} != {*greys}:
        return False
    if len(used) < 3:
        return True
    ramp = np.arange(len(used)) * 255 / (len(used) - 1)
    steps = greys if greys[0] < greys[-1] else 255 - greys
    return bool((np.abs(steps - ramp) > 1).any())
