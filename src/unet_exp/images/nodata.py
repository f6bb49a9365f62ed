"""Values that are declared to stand where nobody measured."""

import math
from typing import Any

import numpy as np
from jaxtyping import Bool, Shaped

NoData = tuple[float, ...]


class NoneAtAll(tuple[float, ...]):
    """No values, and that is declared: whatever the file says, or looks like."""


class NotFiniteError(ValueError):
    """Values that are no measurements, how many of how many."""


def parse_nodata(nodata: Any) -> NoData:
    """Return the values that one number or a list of them declares; None declares nothing.

    An empty list declares that there are none.

    Raises
    ------
    ValueError
        For anything else.

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
            f"nodata={nodata} is no number. Give one, nan, inf, or a list of them: [nan,-9999]."
        ) from error


def gaps(band: Shaped[np.ndarray, "..."], nodata: NoData) -> Bool[np.ndarray, "..."] | None:
    """Tell which values are declared as no data; None if none can be.

    A number is compared in the type of the values, so that -3.4028235e38 means float32's least.

    >>> gaps(np.array([np.nan, 1, 2]), (math.nan, 2.0)).tolist()
    [True, False, True]
    """
    if not nodata:
        return None
    found = np.zeros(band.shape, bool)
    for value in nodata:
        if math.isnan(value):
            found |= np.isnan(band) if band.dtype.kind == "f" else False
        elif band.dtype.kind == "f":
            with np.errstate(over="ignore"):
                found |= band == band.dtype.type(value)
        elif value == int(value) if math.isfinite(value) else False:
            found |= band == int(value)
    return found


def refuse_not_finite(found: int, count: int) -> None:
    """Refuse values that are NaN or infinite, so many of ``count``, and say how to declare them."""
    if found:
        raise NotFiniteError(
            f"{found} values of {count} that are NaN or infinite. Declare them as no data "
            "(dataset.nodata=nan, in predict.py nodata=nan), or replace them first, for example by "
            "the image's median."
        )
