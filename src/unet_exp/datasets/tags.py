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
#: Names that OME-Zarr has for units, by those of ImageJ and OME.
UNITS = {
    "nm": "nanometer", "µm": "micrometer", "um": "micrometer", "micron": "micrometer",
    "microns": "micrometer", "\\u00B5m": "micrometer", "mm": "millimeter", "cm": "centimeter",
    "ms": "millisecond", "s": "second", "sec": "second", "min": "minute", "h": "hour",
}  # fmt: skip
#: Of TIFF's codes for units, the length in micrometres.
TIFF_UNITS = {2: 25_400.0, 3: 10_000.0}
Step = tuple[float, str | None]


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
        OME-Zarr's step and unit of each axis.
    """

    kind: str = ""
    resolution: tuple[tuple[int, int], tuple[int, int]] | None = None
    unit: int = 1
    details: dict[str, Any] = field(default_factory=dict)
    scale: dict[str, Step] = field(default_factory=dict)

    def steps(self) -> dict[str, Step]:
        """Step along each axis that is known (x, y, z, t), with its unit as OME-Zarr names it.

        >>> Tags("imagej", ((4, 1), (4, 1)), details={"unit": "um", "spacing": 2.0}).steps()
        {'x': (0.25, 'micrometer'), 'y': (0.25, 'micrometer'), 'z': (2.0, 'micrometer')}
        """
        said = self.details
        if self.kind == "ome":
            lengths = {a: (f"PhysicalSize{a.upper()}", "µm") for a in "xyz"}
            names = {**lengths, "t": ("TimeIncrement", "s")}
            return {
                axis: (float(said[name]), unit_of(said.get(f"{name}Unit", usual)))
                for axis, (name, usual) in names.items()
                if name in said
            }
        across = dict(zip("xy", (b / t for t, b in self.resolution or ()), strict=False))
        if self.kind == "imagej" and "unit" in said:
            unit = unit_of(said["unit"])
            found: dict[str, Step] = {axis: (size, unit) for axis, size in across.items()}
            if "spacing" in said:
                found["z"] = float(said["spacing"]), unit
            if said.get("finterval"):
                found["t"] = float(said["finterval"]), unit_of(said.get("tunit", "s"))
            return found
        if self.kind == "tiff" and self.unit in TIFF_UNITS:
            return {a: (size * TIFF_UNITS[self.unit], "micrometer") for a, size in across.items()}
        return self.scale


def unit_of(name: Any) -> str:
    """Return OME-Zarr's name of a unit, or the name as it is.

    >>> unit_of("um"), unit_of("parsec")
    ('micrometer', 'parsec')
    """
    return UNITS.get(str(name), str(name))


def read_tags(file: tifffile.TiffFile) -> Tags:
    """Read what a TIFF says of its pixels."""
    tags = file.pages[0].aspage().tags
    ratios = [tags[name].value for name in ("XResolution", "YResolution") if name in tags]
    known = len(ratios) == 2 and all(bottom and top for top, bottom in ratios)
    resolution = (tuple(ratios[0]), tuple(ratios[1])) if known else None
    unit = int(tags["ResolutionUnit"].value) if "ResolutionUnit" in tags else 2
    if file.is_ome and file.ome_metadata:
        image = tifffile.xml2dict(file.ome_metadata)["OME"].get("Image")
        if image is None:  # the metadata lie in another file
            return Tags("tiff", resolution, unit)
        pixels = (image[0] if isinstance(image, list) else image)["Pixels"]
        return Tags("ome", resolution, unit, {k: pixels[k] for k in OME if k in pixels})
    if file.is_imagej:
        held = file.imagej_metadata or {}
        return Tags("imagej", resolution, unit, {k: held[k] for k in IMAGEJ if k in held})
    return Tags("tiff", resolution, unit)
