"""Outlines and measures as GeoJSON for QuPath (RFC 7946, qupath.readthedocs.io)."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from unet_exp.files import replacing
from unet_exp.prediction.outlines import Polygon
from unet_exp.prediction.segmented import Segmented


class GeoJson:
    """``NAME_objects.geojson``: a detection for each object, with its measures.

    Coordinates are corners of pixels. Objects of a stack belong to their plane.
    """

    def ending(self, image: Path) -> str:
        """Return the end of the file's name."""
        return "_objects.geojson"

    def write(self, file: Path, found: Segmented) -> None:
        """Write the objects of all pages, one line for each."""
        with replacing(file) as part, part.open("w", encoding="utf-8") as text:
            text.write('{"type": "FeatureCollection", "features": [')
            for number, one in enumerate(features(found)):
                text.write(",\n" if number else "\n")
                text.write(json.dumps(one, allow_nan=False))
            text.write("\n]}\n")


def features(found: Segmented) -> Iterator[dict[str, Any]]:
    """Yield the objects of all pages as GeoJSON features."""
    for page, place in enumerate(found.places()):
        columns = found.measures[page].columns(found.pixel_size())
        rows = {
            row[0]: dict(zip(columns, row, strict=True))
            for row in zip(*(column.tolist() for column in columns.values()), strict=True)
        }
        for number, polygons in found.outlines(page):
            shape = geometry(polygons)
            if place:
                z, t = place.get("z", place.get("page", 0)), place.get("t", 0)
                shape["plane"] = {"c": -1, "z": z, "t": t}
            measures = {k: v for k, v in rows[number].items() if k != "label" and math.isfinite(v)}
            yield {
                "type": "Feature",
                "geometry": shape,
                "properties": {
                    "objectType": "detection",
                    "name": str(number),
                    "measurements": measures,
                },
            }


def geometry(polygons: list[Polygon]) -> dict[str, Any]:
    """Return a Polygon, or a MultiPolygon of several parts, with closed rings.

    >>> import numpy as np
    >>> geometry([[np.array([[0, 0], [1, 0], [1, 1], [0, 1]])]])
    {'type': 'Polygon', 'coordinates': [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]]}
    """
    parts = [[[*ring.tolist(), ring[0].tolist()] for ring in polygon] for polygon in polygons]
    if len(parts) == 1:
        return {"type": "Polygon", "coordinates": parts[0]}
    return {"type": "MultiPolygon", "coordinates": parts}
