"""Recognise fill values: numbers that programs write where there are no data."""

from typing import Any

import numpy as np
from jaxtyping import Shaped

from unet_exp.images.nodata import NotFiniteError

SENTINELS = {-999, -9999, -99999, -999999, -32768, -32767, -(2**31), 1 - 2**31}
"""Fill values of GDAL, Esri and NetCDF that are less than all data."""
HUGE = 1e20
"""Smallest of the large fill values (1e20, 1e30, 9.96921e36, 3e38, ...)."""
GAP = 1e6
"""Smallest factor between large fill values and all other values."""
LARGEST = tuple(float(np.finfo(kind).max) for kind in (np.float16, np.float32, np.float64))
"""Largest floats, which are fill values, too."""
NEAR = 0.99
"""Values above this fraction of a largest float count as that float."""
NAMED = 4
"""Largest number of values that a message names."""


class FillDetector:
    """Refuse a channel, given band by band, if it holds fill values.

    Fill values are

    - the largest floats;
    - floats of 1e20 and more, if all others are smaller by a factor of a million;
    - one of `SENTINELS` as the smallest value of floats or signed integers, if all others are 0 or
      more, or lie closer to each other than to it.

    A channel whose other values are all 0 passes.

    >>> fills = FillDetector()
    >>> fills.add(np.array([0.2, -9999, 0.7]))
    >>> fills.refuse(3)
    Traceback (most recent call last):
    unet_exp.images.nodata.NotFiniteError: 1 values of 3 that are -9999.0, ...
    """

    def __init__(self) -> None:
        self.huge: list[Any] = []
        self.huge_count, self.least_huge, self.largest_other = 0, np.inf, 0.0
        self.has_largest_float = False
        self.sentinels: dict[Any, int] = {}
        self.low, self.high = np.inf, -np.inf

    def add(self, values: Shaped[np.ndarray, "..."]) -> None:
        """Add a band of finite values."""
        if values.dtype.kind not in "if" or not values.size:
            return
        if values.dtype.kind == "f":
            self._add_sizes(values)
        low = values.min()
        if float(low) in SENTINELS:
            others = values[values != low]
            self.sentinels[low] = self.sentinels.get(low, 0) + values.size - others.size
            values = others
        if values.size:
            self.low = min(self.low, float(values.min()))
            self.high = max(self.high, float(values.max()))

    def _add_sizes(self, values: Shaped[np.ndarray, "..."]) -> None:
        half = values.dtype.itemsize == 2
        limit = LARGEST[0] if half else HUGE
        top = max(-float(values.min()), float(values.max()))
        if top < limit:
            self.largest_other = max(self.largest_other, top)
            return
        sizes = np.abs(values)
        large = sizes >= limit
        found = sizes[large].astype(np.float64)
        self.huge_count += found.size
        self.least_huge = min(self.least_huge, float(found.min()))
        others = float(sizes.max(where=~large, initial=0))
        self.largest_other = max(self.largest_other, others)
        # A float64 image may hold the largest float32.
        ends = LARGEST[:1] if half else LARGEST[1:]
        self.has_largest_float |= any(((found >= NEAR * e) & (found <= e)).any() for e in ends)
        if len(self.huge) < NAMED:
            self.huge += [v for v in np.unique(values[large])[:NAMED] if v not in self.huge]

    def refuse(self, count: int) -> None:
        """Refuse the channel of ``count`` values if fill values were added."""
        apart = 0 < self.largest_other * GAP <= self.least_huge
        if self.huge and (self.has_largest_float or apart):
            _refuse(self.huge_count, count, self.huge[:NAMED])
        if not self.sentinels or self.low == np.inf:
            return
        least = min(self.sentinels)
        if self.low >= 0 or self.low - float(least) > self.high - self.low:
            _refuse(self.sentinels[least], count, [least])


def _refuse(found: int, count: int, values: list[Any]) -> None:
    # NumPy writes three digits of a float16.
    named = [str(float(v) if v.dtype == np.float16 else v) for v in values]
    option = named[0] if len(named) == 1 else f"[{','.join(named)}]"
    raise NotFiniteError(
        f"{found} values of {count} that are {' or '.join(named)}, far from all others, like "
        "values that programs write where there are no data. Declare them as no data "
        f"(dataset.nodata={option}, in predict.py nodata={option}), or replace them first. If "
        "they are measurements, declare that no value means no data (nodata=[])."
    )
