"""PNG files: colours in order, opaque or not, checked by their header before they are unpacked."""

import struct
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Shaped

from unet_exp.images.display import Display, turned
from unet_exp.images.limits import require_memory, require_plausible

#: Samples of a pixel by the header's colour type; a palette's become red, green, blue and alpha.
SAMPLES = {0: 1, 2: 3, 3: 4, 4: 4, 6: 4}


def read_png(path: Path) -> tuple[Shaped[np.ndarray, "c h w"], bool, Display]:
    """Read a PNG, and tell whether its last channel is alpha and how it is shown.

    Raises
    ------
    ValueError
        It is cut or damaged, or says that it holds more than is plausible.
    """
    data = path.read_bytes()
    if data[12:16] != b"IHDR" or len(data) < 33:
        raise ValueError("its header is missing")
    width, height, bits, colours = struct.unpack(">IIBB", data[16:26])
    declared = width * height * SAMPLES.get(colours, 4) * max(1, bits // 8)
    require_plausible(declared, [len(data)])
    require_memory(declared, "it")
    if b"IEND" not in data:
        raise ValueError("the end of the picture is missing")
    if width * height > 2**30:
        raise ValueError(f"OpenCV decodes no PNG of {width} x {height} pixels: save it as TIFF")
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if picture is None:
        raise ValueError("OpenCV cannot decode it")
    display = turned(path, exif_orientation(data))
    if picture.ndim == 2:
        return picture[None], False, display
    # Of grey and alpha OpenCV makes four channels.
    order = [0, 3] if colours == 4 else [2, 1, 0, 3][: picture.shape[2]]
    return np.moveaxis(picture[..., order], 2, 0), len(order) in (2, 4), display


def exif_orientation(data: bytes) -> int:
    """Return the Orientation in a PNG's eXIf chunk, which is built like a TIFF; 1 without one.

    >>> exif_orientation(b"no picture")
    1
    """
    place = 8
    while (head := data[place : place + 8])[4:] not in (b"", b"eXIf", b"IDAT", b"IEND"):
        place += 12 + int.from_bytes(head[:4])
    if head[4:] != b"eXIf":
        return 1
    exif = data[place + 8 : place + 8 + int.from_bytes(head[:4])]
    order = "<" if exif[:2] == b"II" else ">"
    try:
        (start,) = struct.unpack_from(f"{order}I", exif, 4)
        (count,) = struct.unpack_from(f"{order}H", exif, start)
        tags = (struct.unpack_from(f"{order}HHIH", exif, start + 2 + 12 * i) for i in range(count))
        return next((value for tag, _, _, value in tags if tag == 274), 1)
    except struct.error:
        return 1
