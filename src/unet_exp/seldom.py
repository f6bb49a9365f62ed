"""Calls that take a small part of the time, however slow they become."""

import time
from collections.abc import Callable

#: The largest part of the time that the calls take.
SHARE = 0.05


class Seldom:
    """Calls a function, and leaves out calls that would take more than 5 % of the time.

    A record that is written again after each image or validation takes longer each time. If it were
    always written, the whole would take quadratic time.

    >>> written = []
    >>> seldom = Seldom(lambda: written.append(time.sleep(0.2)))
    >>> for _ in range(5):
    ...     seldom()
    >>> len(written)
    1
    """

    def __init__(self, function: Callable[[], object]) -> None:
        self.function = function
        self.due = 0.0

    def __call__(self) -> None:
        """Call the function, unless this is too early."""
        start = time.monotonic()
        if start < self.due:
            return
        try:
            self.function()
        finally:
            end = time.monotonic()
            self.due = end + (end - start) * (1 / SHARE - 1)
