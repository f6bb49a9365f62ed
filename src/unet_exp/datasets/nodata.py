"""Values that stand for "nobody measured here": declared, or plainly no measurements."""

import math
from typing import Any

import numpy as np
from jaxtyping import Bool, Shaped

NoData = tuple[float, ...]
#: Largest numbers of floats, which programs write where they have no data.
EXTREMES = tuple(float(np.finfo(kind).max) for kind in (np.float32, np.float64))


class NoneAtAll(tuple[float, ...]):
    """No values, and that is declared: whatever the file says, or looks like."""


class NotFiniteError(ValueError):
    """Values that are no measurements, how many of how many."""


def declared(nodata: Any) -> NoData:
    """Return the values that one number or a list of them declares; None declares nothing.

    An empty list declares that there are none.

    Raises
    ------
    ValueError
        For anything else.

    >>> declared(-9999), declared([0, "nan"]), declared(None)
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


def strange(values: Shaped[np.ndarray, "..."]) -> tuple[int, int]:
    """Count the values that are NaN or infinite, and those within 1 % of a float's largest.

    >>> strange(np.array([np.nan, np.inf, 1])), strange(np.array([1, -1.797e308]))
    ((2, 0), (0, 1))
    """
    if values.dtype.kind != "f" or not values.size:
        return 0, 0
    broken = values.size - int(np.count_nonzero(np.isfinite(values)))
    if broken or values.dtype.itemsize <= 2:
        return broken, 0
    if max(-float(values.min()), float(values.max())) < 0.99 * EXTREMES[0]:
        return 0, 0
    sizes = np.abs(values)
    limits = EXTREMES[: 1 if values.dtype.itemsize == 4 else 2]
    found = [(sizes >= 0.99 * limit) & (sizes <= limit) for limit in limits]
    return 0, sum(int(np.count_nonzero(one)) for one in found)


def refuse_strange(broken: int, huge: int, count: int) -> None:
    """Refuse values that are no measurements, and say how they are declared."""
    if broken:
        raise NotFiniteError(
            f"{broken} values of {count} that are NaN or infinite. Declare them as no data "
            "(dataset.nodata=nan, in predict.py nodata=nan), or replace them first, for example by "
            "the image's median."
        )
    if huge:
        raise NotFiniteError(
            f"{huge} values of {count} that are the largest which floats can hold, as programs "
            "write them where there are no data. Declare the value as no data "
            "(dataset.nodata=VALUE, in predict.py nodata=VALUE), or replace it first."
        )
