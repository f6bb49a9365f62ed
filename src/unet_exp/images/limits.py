"""How much a file may say that it holds: checked before any memory or time is spent on it."""

import math
import os
from collections.abc import Iterable, Sequence

import psutil

PACKED = 2000
"""Bytes of pixels that one byte of a file may stand for; deflate reaches 1032."""
SMALL = 2**28
"""Bytes of pixels below which a file may be packed as tightly as it likes."""
MOST_PAGES = 2**18
"""Pages in one file."""
VARIABLE = "UNET_EXP_IMAGE_LIMIT"
"""The environment's variable that overrules the limits on bytes: GiB that a file may unpack to."""


class TooLargeError(ValueError):
    """A file says that it holds more than is plausible, or than fits into memory."""


def size(shape: Sequence[int], itemsize: int = 1) -> int:
    """Count the bytes of an array in whole numbers of any size.

    >>> size((2**40, 2**40), 8) == 2**83
    True
    """
    return math.prod(int(side) for side in shape) * itemsize


def stated_limit() -> float | None:
    """Return the bytes that the environment's ``UNET_EXP_IMAGE_LIMIT`` allows, if it is set."""
    text = os.environ.get(VARIABLE)
    if not text:
        return None
    try:
        limit = float(text)
    except ValueError:
        limit = math.nan
    if not limit > 0:
        raise ValueError(f"{VARIABLE}={text} is no number of GiB. Give one above 0.")
    return limit * 2**30


def require_plausible(declared: int, stored: Iterable[int], pages: int = 1) -> None:
    """Refuse a file that says that it holds far more than its own bytes can.

    Parameters
    ----------
    declared
        Bytes of all its pixels.
    stored
        Bytes on disk, in parts, which are counted only as far as needed.
    pages
        How many images it says that it holds.

    Raises
    ------
    TooLargeError
        Naming both sizes and the way to allow it.

    >>> require_plausible(2**60, [1000])
    Traceback (most recent call last):
    unet_exp.images.limits.TooLargeError: it says that it holds 1,073,741,824 GiB of pixels ...
    """
    if pages > MOST_PAGES:
        raise TooLargeError(
            f"it says that it holds {pages:,} pages, and a file may have {MOST_PAGES:,}. Cut it "
            "into several files"
        )
    limit = stated_limit()
    if limit is None and declared <= SMALL and pages <= 256:
        return
    if limit is not None:
        if declared > limit:
            raise TooLargeError(
                f"it says that it holds {gib(declared)} of pixels, and {VARIABLE} allows "
                f"{gib(limit)}"
            )
        return
    found = 0
    for part in stored:
        found += part
        if found * PACKED >= declared and found >= pages:
            return
    raise TooLargeError(
        f"it says that it holds {gib(declared)} of pixels in {pages:,} page(s), but has "
        f"{found:,} bytes. If that is right, allow so many GiB by "
        f"{VARIABLE}={math.ceil(declared / 2**30)} in the environment"
    )


def require_memory(needed: int, what: str) -> None:
    """Refuse to unpack at once what does not fit into the memory at hand.

    Raises
    ------
    TooLargeError
        Naming what is needed and what there is.
    """
    free = stated_limit() or psutil.virtual_memory().available
    if needed > free:
        raise TooLargeError(
            f"{what} takes {gib(needed)} of memory at once, and {gib(free)} may be taken. Save it "
            "as a tiled TIFF or as OME-Zarr, which are read by parts, or cut it into smaller images"
        )


def gib(count: float) -> str:
    """Write a number of bytes.

    >>> gib(3 * 2**29), gib(1000)
    ('1.5 GiB', '1,000 bytes')
    """
    if count < 2**20:
        return f"{int(count):,} bytes"
    return f"{count / 2**30:,.4g} GiB" if count < 2**43 else f"{int(count) // 2**30:,} GiB"
