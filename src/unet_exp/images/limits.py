"""Check the size that a file claims before memory or time is spent on it."""

import math
import os
from collections.abc import Iterable, Sequence

import psutil

from unet_exp.numbers import format_bytes, parse_number

PACKED = 2000
"""Largest compression ratio that is plausible; deflate reaches 1032."""
SMALL = 2**28
"""Bytes of pixels below which any compression ratio is plausible."""
MOST_PAGES = 2**18
VARIABLE = "UNET_EXP_IMAGE_LIMIT"
"""Environment variable with the GiB that a file may unpack to; it replaces the other limits."""


class TooLargeError(ValueError):
    """A file claims to hold more than is plausible, or than fits into memory."""


def size(shape: Sequence[int], itemsize: int = 1) -> int:
    """Return the number of bytes of an array, without overflow.

    >>> size((2**40, 2**40), 8) == 2**83
    True
    """
    return math.prod(int(side) for side in shape) * itemsize


def stated_limit() -> float | None:
    """Return the limit of ``UNET_EXP_IMAGE_LIMIT`` in bytes; None if it is not set."""
    text = os.environ.get(VARIABLE)
    if not text:
        return None
    limit = parse_number(text, finite=False)
    if limit is None or not limit > 0:
        raise ValueError(f"{VARIABLE}={text} is not a number of GiB. Give one above 0.")
    return limit * 2**30


def require_plausible(declared: int, stored: Iterable[int], pages: int = 1) -> None:
    """Refuse a file that claims to hold far more than its own bytes can.

    ``declared`` is the number of bytes of all pixels. ``stored`` are the sizes of the files that
    hold them; the iteration stops as soon as the sum is large enough.

    >>> require_plausible(2**60, [1000])
    Traceback (most recent call last):
    unet_exp.images.limits.TooLargeError: it claims to hold 1,073,741,824 GiB of pixels ...
    """
    if pages > MOST_PAGES:
        raise TooLargeError(
            f"it claims to hold {pages:,} pages, and a file may have {MOST_PAGES:,}. Cut it into "
            "several files"
        )
    if (limit := stated_limit()) is not None:
        if declared > limit:
            raise TooLargeError(
                f"it claims to hold {format_bytes(declared)} of pixels, and {VARIABLE} allows "
                f"{format_bytes(limit)}"
            )
        return
    if declared <= SMALL and pages <= 256:
        return
    found = 0
    for part in stored:
        found += part
        if found * PACKED >= declared and found >= pages:
            return
    raise TooLargeError(
        f"it claims to hold {format_bytes(declared)} of pixels in {pages:,} page(s), but has only "
        f"{found:,} bytes. If that is right, set {VARIABLE}={math.ceil(declared / 2**30)} in the "
        "environment, the GiB that a file may unpack to"
    )


def require_memory(needed: int, what: str) -> None:
    """Refuse pixels that do not fit into the free memory at once."""
    free = stated_limit() or psutil.virtual_memory().available
    if needed > free:
        raise TooLargeError(
            f"{what} takes {format_bytes(needed)} of memory at once, and {format_bytes(free)} may "
            "be taken. Save it as a tiled TIFF or as OME-Zarr, which are read in parts, or cut it "
            "into smaller images"
        )
