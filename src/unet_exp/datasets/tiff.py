"""Pages and channels of a TIFF by the axes that tifffile reads out of it."""

import logging
import re
import threading
from pathlib import Path

import numpy as np
import tifffile
from jaxtyping import Shaped

UNNAMED = "QI"  # tifffile's letters for an axis that the file does not explain
CHANNELS = "CS"  # channels and samples (red, green, blue)
WIDEST_PIXEL = 16  # a last axis up to this long, after two longer ones, holds channels
logger = logging.getLogger(__name__)


class _BrokenOffsets(logging.Filter):
    """Catches what tifffile only logs: tags and pages that lie beyond the end of the file.

    A multi-page file that is cut short would otherwise come back with fewer pages.
    """

    def __init__(self) -> None:
        super().__init__()
        self._local = threading.local()

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if not re.search(r"invalid (\w+ )?offset", message):
            return True
        self.messages.append(message)
        return False

    @property
    def messages(self) -> list[str]:
        """Complaints about the file that this thread reads."""
        if not hasattr(self._local, "messages"):
            self._local.messages = []
        return self._local.messages


_broken = _BrokenOffsets()
logging.getLogger("tifffile").addFilter(_broken)


def read_tiff(path: Path) -> tuple[Shaped[np.ndarray, "n c h w"], bool]:
    """Pages of channels of a TIFF's first series, and whether the file says which axis is which.

    Axes named C (channels) or S (colours) become channels, all others (Z, T, unnamed) pages. An
    opaque alpha channel is left out. Where a file holds images of several shapes, the first
    series is read and the others are named in the log. A damaged or cut file raises some
    exception of tifffile's or its codecs'.
    """
    _broken.messages.clear()
    with tifffile.TiffFile(path) as file:
        count = len(file.pages)  # walks through the whole file
        if _broken.messages:
            raise ValueError(f"cut short after page {count}: {_broken.messages[0]}")
        series = file.series[0]
        if len(file.series) > 1:
            others = ", ".join(str(s.shape) for s in file.series[1:])
            logger.warning("%s also holds images of shape %s; they are not read.", path, others)
        alpha = any(kind in (1, 2) for kind in getattr(series.keyframe, "extrasamples", ()))
        axes, array = series.axes, series.asarray()
        if _broken.messages:
            raise ValueError(f"cut short: {_broken.messages[0]}")
    return arrange(array, axes, alpha)


def arrange(
    array: Shaped[np.ndarray, "..."], axes: str, alpha: bool = False
) -> tuple[Shaped[np.ndarray, "n c h w"], bool]:
    """Bring any axes into the order pages, channels, rows, columns; tell if the file named them.

    >>> arrange(np.zeros((64, 48, 3)), "YXS")[0].shape
    (1, 3, 64, 48)
    >>> pages, named = arrange(np.zeros((5, 64, 48)), "QYX")
    >>> pages.shape, named
    ((5, 1, 64, 48), False)
    >>> arrange(np.zeros((64, 48, 5)), "QYX")[0].shape  # channels last, though nobody says so
    (1, 5, 64, 48)
    """
    if "Y" not in axes or "X" not in axes:
        raise ValueError(f"its axes are {axes!r}, without rows (Y) and columns (X)")
    kept = [i for i in range(array.ndim) if axes[i] in "YX" or array.shape[i] > 1]
    axes = "".join(axes[i] for i in kept)
    array = array.reshape([array.shape[i] for i in kept])
    last_is_short = array.shape[-1] <= WIDEST_PIXEL < min(array.shape[:2])
    if (axes in ("QYX", "IYX") and last_is_short) or axes == "YXQ":
        axes = "YXC"
    channels = [i for i, letter in enumerate(axes) if letter in CHANNELS]
    pages = [i for i, letter in enumerate(axes) if letter not in CHANNELS + "YX"]
    array = array.transpose([*pages, *channels, axes.index("Y"), axes.index("X")])
    array = array.reshape(
        int(np.prod(array.shape[: len(pages)])), -1, *array.shape[len(axes) - 2 :]
    )
    if alpha and array.shape[1] in (2, 4):
        array = without_opaque_alpha(array)
    return array, not any(axes[i] in UNNAMED for i in pages)


def without_opaque_alpha(pages: Shaped[np.ndarray, "n c h w"]) -> Shaped[np.ndarray, "n k h w"]:
    """Leave the last channel out when it only says that every pixel is opaque.

    >>> without_opaque_alpha(np.full((1, 4, 2, 2), 255, np.uint8)).shape
    (1, 3, 2, 2)
    """
    top = np.iinfo(pages.dtype).max if pages.dtype.kind == "u" else 1
    return pages[:, :-1] if (pages[:, -1] == top).all() else pages
