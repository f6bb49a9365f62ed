"""Numbers that are declared to mean no data."""

import math
from typing import Any

import numpy as np
from jaxtyping import Bool, Shaped

NoData = tuple[float, ...]


class NoneAtAll(tuple[float, ...]):
    """Declaration that all numbers are data, even if the file says otherwise."""


class NotFiniteError(ValueError):
    """An image holds numbers that are not measurements."""


def parse_nodata(nodata: Any) -> NoData:
    """Return the numbers of an option ``nodata``: a number, a list of them, or None.

    An empty list declares that all numbers are data.

    >>> parse_nodata(-9999), parse_nodata([0, "nan"]), parse_nodata(None)
    ((-9999.0,), (0.0, nan), ())
    """
    if nodata is None:
        return ()
    values: list[Any] = list(nodata) if isinstance(nodata, list | tuple) else [nodata]
    try:
        return tuple(float(value) for value in values) or NoneAtAll()
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"nodata={nodata} is not a number. Give one, nan, inf, or a list of them: [nan,-9999]."
        ) from error


def find_gaps(pixels: Shaped[np.ndarray, "..."], nodata: NoData) -> Bool[np.ndarray, "..."] | None:
    """Return a mask of the pixels without data; None if no number is declared.

    A number is converted to the type of the pixels first: -3.4028235e38 is the smallest float32.

    >>> find_gaps(np.array([np.nan, 1, 2]), (math.nan, 2.0)).tolist()
    [True, False, True]
    """
    if not nodata:
        return None
    gaps = np.zeros(pixels.shape, bool)
    for value in nodata:
        if pixels.dtype.kind == "f":
            with np.errstate(over="ignore"):
                same = np.isnan(pixels) if math.isnan(value) else pixels == pixels.dtype.type(value)
            gaps |= same
        elif math.isfinite(value) and value == int(value):
            gaps |= pixels == int(value)
    return gaps


def refuse_not_finite(found: int, count: int) -> None:
    """Raise NotFiniteError if ``found`` of ``count`` values are NaN or infinite."""
    if found:
        raise NotFiniteError(
            f"{found} values of {count} that are NaN or infinite. Declare them as no data "
            "(dataset.nodata=nan, in predict.py nodata=nan), or replace them first, for example by "
            "the image's median."
        )
