"""A table of all objects."""

from pathlib import Path

import numpy as np

from unet_exp.csv_tables import written
from unet_exp.files import write_atomically
from unet_exp.prediction.segmented import Segmented


class Table:
    """``NAME_objects.csv``: one row for each object, see `measures.Measures`.

    For a stack, the first columns hold the page's position along each axis, counted from 0. Lengths
    are in pixels and, if the image has a pixel size, also in its unit.
    """

    def ending(self, image: Path) -> str:
        """Return the end of the file's name."""
        return "_objects.csv"

    def write(self, file: Path, found: Segmented) -> None:
        """Write the measures of the objects of all pages."""
        names: list[str] = []
        rows: list[list[float | None]] = []
        for place, measures in zip(found.places(), found.measures, strict=True):
            columns = measures.columns(found.pixel_size())
            names = [*place, *columns]
            values = zip(*(column.tolist() for column in columns.values()), strict=True)
            rows += [[*place.values(), *map(finite, row)] for row in values]
        write_atomically(file, written(names, rows))


def finite(number: float) -> float | None:
    """Return a number, but None if it is infinite or NaN.

    >>> finite(0.5), finite(float("nan"))
    (0.5, None)
    """
    return number if np.isfinite(number) else None
