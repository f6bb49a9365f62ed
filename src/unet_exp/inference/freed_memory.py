"""Memory that torch frees stays with the process, for its next tensors."""

import ctypes
import sys

# mallopt(3): which value is set, and to what.
TRIM_THRESHOLD, KEPT = -1, 2**31 - 1
MMAP_THRESHOLD, HEAP = -3, 2**30
MMAP_MAX, NONE = -4, 0


def keep_freed_memory() -> bool:
    """Let the C library hand freed memory out again instead of back; tell whether it does.

    The feature maps of a large tile have more than the 32 MB beyond which glibc fetches memory
    from the system and returns it, tensor by tensor. So each layer would first have to wait for
    its pages: 4 of 11 seconds of a large image. In turn the process keeps the most that it ever
    had, and gaps in it. For the whole process, on Linux with glibc; elsewhere nothing changes.

    >>> keep_freed_memory() in (True, False)
    True
    """
    set_option = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if set_option is None:
        return False
    # Older versions of glibc refuse a threshold beyond 32 MB.
    on_heap = set_option(MMAP_THRESHOLD, HEAP) or set_option(MMAP_MAX, NONE)
    return bool(on_heap and set_option(TRIM_THRESHOLD, KEPT))
