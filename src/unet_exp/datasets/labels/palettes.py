"""PNG files of labels with a palette: the numbers that are meant."""

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
    """Return the numbers of a PNG with a palette, turned as it is shown; None of any other file.

    They are its indices, as VOC and labelme write them, and Fiji with a lookup table of greys, that
    may run from white to black. Only where the palette is what programs that make files smaller
    leave of a grey picture, are they the grey values, see `is_shrunk_grey`.
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
        said = "the greys that the palette shows, since it holds these alone: black"
        numbers = palette[:, 0][indices]
    else:
        colours = palette[used[used < len(palette)]]
        grey = len(np.unique(colours, axis=0)) > 1 and bool((colours == colours[:, :1]).all())
        odd = used[0] == 0 and colours[0].any() and not colours.any(1).all()
        said = "indices of a palette"
        said += (
            " of greys" if grey else ", in which 0 is not black though another is" if odd else ""
        )
        said = f"{said}: 0" if grey or odd else ""
        numbers = indices
    if said:
        warn_once(path, f"its labels are read as {said} is the background.")
    return numbers


def is_shrunk_grey(palette: UInt8[np.ndarray, "n 3"], used: UInt8[np.ndarray, " m"]) -> bool:
    """Tell whether a palette is what is left of the grey values of a picture.

    It holds each grey that is in use, once, and none besides, but for repetitions that fill it up.
    A lookup table of programs that show numbers holds others too, or its three greys or more lie in
    even steps from black to white, or from white to black.

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
    greys = palette[used].astype(int)
    if len(np.unique(greys[:, 0])) < len(used) or (palette != palette[:, :1]).any():
        return False
    if set(palette[:, 0].tolist()) != set(greys[:, 0].tolist()):
        return False
    if len(used) < 3:
        return True
    ramp = np.arange(len(used)) * 255 / (len(used) - 1)
    steps = greys[:, 0] if greys[0, 0] < greys[-1, 0] else 255 - greys[:, 0]
    return bool((np.abs(steps - ramp) > 1).any())
