"""What a file says of its pixels besides their values: axes, sizes, units.

As ImageJ, OME-TIFF (docs.openmicroscopy.org), OME-Zarr (ngff.openmicroscopy.org) and plain TIFF
write it, to be handed on to results of the same size.
"""

from dataclasses import dataclass, field
from typing import Any

import tifffile

#: Of ImageJ's values, those that hold for any image of the same pixels.
IMAGEJ = ("unit", "yunit", "zunit", "spacing", "finterval", "fps", "tunit", "xorigin", "yorigin")
#: Of OME's Pixels element, likewise.
OME = tuple(
    f"{name}{suffix}"
    for name in ("PhysicalSizeX", "PhysicalSizeY", "PhysicalSizeZ", "TimeIncrement")
    for suffix in ("", "Unit")
)
LENGTHS = {
    "nm": "nanometer", "µm": "micrometer", "um": "micrometer", "micron": "micrometer",
    "\\u00B5m": "micrometer", "mm": "millimeter", "cm": "centimeter",
}  # fmt: skip


@dataclass(frozen=True)
class Tags:
    """Where pixels come from, as results hand it on.

    Attributes
    ----------
    kind
        "tiff", "imagej", "ome" or "zarr"; empty for files that say nothing (PNG, NPY).
    resolution, unit
        TIFF's pixels per unit, along x and y, and the unit's code (1 none, 2 inch, 3 cm).
    details
        ImageJ's or OME's values, named as there.
    scale
        Of OME-Zarr: size of a pixel and unit for each axis.
    """

    kind: str = ""
    resolution: tuple[tuple[int, int], tuple[int, int]] | None = None
    unit: int = 1
    details: dict[str, Any] = field(default_factory=dict)
    scale: dict[str, tuple[float, str | None]] = field(default_factory=dict)

    def pixel_size(self) -> tuple[float, float, str | None] | None:
        """Height and width of a pixel, and the unit as OME-Zarr names it; None if not known.

        >>> Tags("imagej", ((4, 1), (4, 1)), details={"unit": "um"}).pixel_size()
        (0.25, 0.25, 'micrometer')
        """
        if "y" in self.scale and "x" in self.scale:
            return self.scale["y"][0], self.scale["x"][0], self.scale["x"][1]
        if self.kind == "ome" and "PhysicalSizeX" in self.details:
            x = float(self.details["PhysicalSizeX"])
            unit = str(self.details.get("PhysicalSizeXUnit", "µm"))
            return float(self.details.get("PhysicalSizeY", x)), x, LENGTHS.get(unit, unit)
        if self.kind == "imagej" and self.resolution and "unit" in self.details:
            x, y = (bottom / top for top, bottom in self.resolution)
            unit = str(self.details["unit"])
            return y, x, LENGTHS.get(unit, unit)
        return None


def read_tags(file: tifffile.TiffFile) -> Tags:
    """Read what a TIFF says of its pixels."""
    tags = file.pages[0].aspage().tags
    ratios = [tags[name].value for name in ("XResolution", "YResolution") if name in tags]
    known = len(ratios) == 2 and all(bottom and top for top, bottom in ratios)
    resolution = (tuple(ratios[0]), tuple(ratios[1])) if known else None
    unit = int(tags["ResolutionUnit"].value) if "ResolutionUnit" in tags else 2
    if file.is_ome and file.ome_metadata:
        image = tifffile.xml2dict(file.ome_metadata)["OME"]["Image"]
        pixels = (image[0] if isinstance(image, list) else image)["Pixels"]
        return Tags("ome", resolution, unit, {k: pixels[k] for k in OME if k in pixels})
    if file.is_imagej:
        held = file.imagej_metadata or {}
        return Tags("imagej", resolution, unit, {k: held[k] for k in IMAGEJ if k in held})
    return Tags("tiff", resolution, unit)
