"""Keep memory that torch frees in the process, for its next tensors (glibc)."""

import ctypes
import sys

# Parameters of mallopt(3) and their values.
TRIM_THRESHOLD, KEPT = -1, 2**31 - 1
MMAP_THRESHOLD, HEAP = -3, 2**30
MMAP_MAX, NONE = -4, 0


def keep_freed_memory() -> bool:
    """Keep freed memory in the process (glibc); return whether that is possible.

    By default, glibc requests blocks above 32 MB, such as the feature maps of a large tile, from
    the operating system and returns them one by one. For a large image, waiting for their pages
    took 4 of 11 seconds. The process then keeps its peak memory. Without Linux and glibc, nothing
    changes.

    >>> keep_freed_memory() in (True, False)
    True
    """
    set_option = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if set_option is None:
        return False
    # Older versions of glibc refuse a threshold beyond 32 MB.
    on_heap = set_option(MMAP_THRESHOLD, HEAP) or set_option(MMAP_MAX, NONE)
    return bool(on_heap and set_option(TRIM_THRESHOLD, KEPT))
