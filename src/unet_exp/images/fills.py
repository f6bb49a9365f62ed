"""Values that programs write where nobody measured, recognised though nobody has declared them."""

from typing import Any

import numpy as np
from jaxtyping import Shaped

from unet_exp.images.nodata import NotFiniteError

SENTINELS = {-999, -9999, -99999, -999999, -32768, -32767, -(2**31), 1 - 2**31}
"""Least values that stand for no data, as GDAL, Esri and NetCDF write them."""
HUGE = 1e20
"""Numbers from here on are fill values of NetCDF and others: 1e20, 1e30, 9.96921e36, 3e38 ..."""
GAP = 1e6
"""... if no other number is within so large a factor of them: beside them, the rest is one grey."""
LARGEST = tuple(float(np.finfo(kind).max) for kind in (np.float16, np.float32, np.float64))
"""Largest numbers of floats, which programs write where they have no data, too."""
NEAR = 0.99
"""What reaches this part of them is taken for them."""
KEPT = 4
"""Different values that are named."""


class Fills:
    """Looks at a channel band by band, and refuses it if some values are plainly no measurements.

    These are, in floats, the largest that they hold, and numbers of 1e20 and more where all others
    are smaller by a factor of a million; and, also in whole numbers with a sign, one of
    `SENTINELS` as the least, where all others are 0 or more, or lie closer to each other than to
    it. An image times 1e300 has no such gap. A channel whose values are all 0 beside them is let
    pass, since it holds nothing that they could hide.

    >>> fills = Fills()
    >>> fills.add(np.array([0.2, -9999, 0.7]))
    >>> fills.refuse(3)
    Traceback (most recent call last):
    unet_exp.images.nodata.NotFiniteError: 1 values of 3 that are -9999.0, ...
    """

    def __init__(self) -> None:
        self.huge: list[Any] = []
        self.largest = False
        self.count, self.least, self.small = 0, np.inf, 0.0
        self.sentinels: dict[Any, int] = {}
        self.low, self.high = np.inf, -np.inf

    def add(self, values: Shaped[np.ndarray, "..."]) -> None:
        """Look at some values, which are finite."""
        if values.dtype.kind not in "if" or not values.size:
            return
        if values.dtype.kind == "f":
            self._add_sizes(values)
        low = values.min()
        if float(low) in SENTINELS:
            rest = values[values != low]
            self.sentinels[low] = self.sentinels.get(low, 0) + values.size - rest.size
            values = rest
        if values.size:
            self.low = min(self.low, float(values.min()))
            self.high = max(self.high, float(values.max()))

    def _add_sizes(self, values: Shaped[np.ndarray, "..."]) -> None:
        half = values.dtype.itemsize == 2
        limit = LARGEST[0] if half else HUGE
        top = max(-float(values.min()), float(values.max()))
        if top < limit:
            self.small = max(self.small, top)
            return
        sizes = np.abs(values)
        large = sizes >= limit
        self.count += int(np.count_nonzero(large))
        self.least = min(self.least, float(sizes[large].min()))
        self.small = max(self.small, float(sizes.max(where=~large, initial=0)))
        found = sizes[large].astype(np.float64)
        # Numbers of 32 bits may stand among those of 64.
        ends = LARGEST[:1] if half else LARGEST[1:]
        self.largest |= any(bool(((found >= NEAR * e) & (found <= e)).any()) for e in ends)
        if len(self.huge) < KEPT:
            self.huge += [v for v in np.unique(values[large])[:KEPT] if v not in self.huge]

    def refuse(self, count: int) -> None:
        """Refuse what was looked at, of so many values.

        Raises
        ------
        NotFiniteError
            Naming the values that are no measurements, and how they are declared.
        """
        if self.huge and (self.largest or 0 < self.small * GAP <= self.least):
            _refuse(self.count, count, self.huge)
        if not self.sentinels or self.low == np.inf:
            return
        least = min(self.sentinels)
        if self.low >= 0 or self.low - float(least) > self.high - self.low:
            _refuse(self.sentinels[least], count, [least])


def _refuse(found: int, count: int, values: list[Any]) -> None:
    # Of 16-bit floats, numpy shows three digits.
    named = [str(float(v) if v.dtype == np.float16 else v) for v in values[:KEPT]]
    said = named[0] if len(named) == 1 else f"[{','.join(named)}]"
    remedy = (
        f"Declare them as no data (dataset.nodata={said}, in predict.py nodata={said}), or replace "
        "them first. If they are measurements, declare that none stands for no data (nodata=[])."
    )
    raise NotFiniteError(
        f"{found} values of {count} that are {' or '.join(named)}, far from all others, as "
        f"programs write them where there are no data. {remedy}"
    )
