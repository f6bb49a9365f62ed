"""What a file says of its pixels besides their values: axes, sizes, units.

As ImageJ, OME-TIFF (docs.openmicroscopy.org), OME-Zarr (ngff.openmicroscopy.org) and plain TIFF
write it, to be handed on to results of the same size. All of it is best effort: what makes no
sense is left out, and never keeps pixels from being read or results from being written.
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import tifffile

from unet_exp.images.ome import local, parsed

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
    "microns": "micrometer", "μm": "micrometer", "mm": "millimeter", "cm": "centimeter",
    "ms": "millisecond", "s": "second", "sec": "second", "min": "minute", "h": "hour",
}  # fmt: skip
#: Of TIFF's codes for units, the length in micrometres; the last two are tifffile's.
TIFF_UNITS = {2: 25_400.0, 3: 10_000.0, 4: 1000.0, 5: 1.0}
#: Of values that are numbers, those that must be above 0 to mean anything.
LENGTHS = ("spacing", "finterval", "fps", *(name for name in OME if not name.endswith("Unit")))
NUMBERS = (*LENGTHS, "xorigin", "yorigin")
LONGEST = 64
"""Letters of a unit; longer ones are no units."""
Step = tuple[float, str | None]
logger = logging.getLogger(__name__)


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

    What makes no sense is not kept.

    >>> Tags("imagej", ((0, 0), (1, 1)), 77, {"unit": "um", "spacing": float("nan"), "fps": "x"})
    Tags(kind='imagej', resolution=None, unit=1, details={'unit': 'um'}, scale={})
    """

    kind: str = ""
    resolution: tuple[tuple[int, int], tuple[int, int]] | None = None
    unit: int = 1
    details: dict[str, Any] = field(default_factory=dict)
    scale: dict[str, Step] = field(default_factory=dict)

    def __post_init__(self) -> None:
        kept = {
            "resolution": sensible_resolution(self.resolution),
            "unit": self.unit if self.unit in (1, *TIFF_UNITS) else 1,
            "details": sensible_details(self.details),
            "scale": {
                str(axis): (float(step), sensible_unit(unit))
                for axis, (step, unit) in self.scale.items()
                if is_length(step)
            },
        }
        for name, value in kept.items():
            object.__setattr__(self, name, value)

    def transposed(self) -> "Tags":
        """Return what is said of an image whose rows were columns.

        >>> Tags("ome", ((3, 1), (4, 1)), details={"PhysicalSizeX": 0.5}).transposed().details
        {'PhysicalSizeY': 0.5}
        """
        other = str.maketrans("XY", "YX")
        exchanged = {
            name.translate(other) if name.startswith("PhysicalSize") else name: value
            for name, value in self.details.items()
        }
        turned = self.resolution[::-1] if self.resolution else None
        return replace(self, resolution=turned, details=exchanged)

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


def is_length(value: Any) -> bool:
    """Tell whether a value is a length or a duration: a finite number above 0.

    >>> is_length(0.5), is_length("0.5"), is_length(-1), is_length(float("inf")), is_length(True)
    (True, False, False, False, False)
    """
    return type(value) in (int, float) and 0 < value < 1e30 and value > 1e-30


def sensible_unit(name: Any) -> str | None:
    r"""Return a unit's name if it is one: a short text that can be printed.

    >>> sensible_unit("µm"), sensible_unit(["um"]), sensible_unit("um\nz=9"), sensible_unit("")
    ('µm', None, None, None)
    """
    good = isinstance(name, str) and 0 < len(name) <= LONGEST and name.isprintable()
    return name if good else None


def sensible_resolution(pair: Any) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Return two ratios of whole numbers above 0 as TIFF can hold them; None for anything else.

    >>> sensible_resolution(((300, 1), (300, 1))), sensible_resolution(((1, 0), (1, 1)))
    (((300, 1), (300, 1)), None)
    """
    try:
        (a, b), (c, d) = pair
        numbers = [int(n) for n in (a, b, c, d)]
    except (TypeError, ValueError, OverflowError):
        return None
    if not all(0 < n < 2**32 for n in numbers):
        return None
    return (numbers[0], numbers[1]), (numbers[2], numbers[3])


def sensible_details(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of ImageJ or OME that make sense."""
    kept: dict[str, Any] = {}
    for name, value in said.items():
        if name in LENGTHS:
            good = is_length(value)
        elif name in NUMBERS:
            good = type(value) in (int, float) and abs(value) < 1e30
        else:
            good = sensible_unit(value) is not None
        if good:
            kept[name] = value
    # Without its unit, a size would count as one in micrometres.
    unsure = [n.removesuffix("Unit") for n in OME if n.endswith("Unit") and n in said.keys() - kept]
    return {name: value for name, value in kept.items() if name not in unsure}


def read_tags(file: tifffile.TiffFile, shape: tuple[int, ...] = ()) -> Tags:
    """Read what a TIFF says of its pixels, as far as it makes sense, of the image of this shape."""
    try:
        return _read_tags(file, shape)
    except Exception as error:  # tifffile's parsers raise anything
        logger.warning(
            "%s: its pixel sizes cannot be read (%s); results will have none.", file.filename, error
        )
        return Tags("tiff")


def _read_tags(file: tifffile.TiffFile, shape: tuple[int, ...]) -> Tags:
    page = file.pages[0].aspage()
    ratios = tuple(page.tags.valueof(name) for name in ("XResolution", "YResolution"))
    unit = page.tags.valueof("ResolutionUnit", default=2)
    unit = int(unit) if isinstance(unit, int) else 1
    text = page.description
    if text[-10:].strip().endswith("OME>"):
        return Tags("ome", ratios, unit, ome_details(text, shape))  # pyright: ignore[reportArgumentType]
    if page.is_imagej:
        held = imagej_details(page.imagej_description or "")
        return Tags("imagej", ratios, unit, held)  # pyright: ignore[reportArgumentType]
    return Tags("tiff", ratios, unit)  # pyright: ignore[reportArgumentType]


def imagej_details(description: str) -> dict[str, Any]:
    r"""Read ImageJ's values that hold for any image of the same pixels.

    >>> imagej_details("ImageJ=1.54\nunit=micron\nspacing=2\nfinterval=soon")
    {'unit': 'micron', 'spacing': 2.0}
    """
    pairs = (line.partition("=")[::2] for line in description.splitlines())
    found: dict[str, Any] = {}
    for name, value in ((n.strip(), v.strip()) for n, v in pairs):
        if name not in IMAGEJ:
            continue
        found[name] = number(value) if name in NUMBERS else unescaped(value)
    return sensible_details(found)


def unescaped(text: str) -> str:
    r"""Return a text in which ImageJ wrote letters beyond ASCII as Java does.

    >>> unescaped(r"\u00B5m")
    'µm'
    """
    return re.sub(r"\\u([0-9A-Fa-f]{4})", lambda found: chr(int(found[1], 16)), text)


def ome_details(xml: str, shape: tuple[int, ...]) -> dict[str, Any]:
    """Read OME's pixel sizes, of the first image of this shape; none where XML cannot be parsed."""
    try:
        root = parsed(xml)
    except ValueError:
        return {}
    pixels = [p for image in root if local(image) == "Image" for p in image if local(p) == "Pixels"]
    same = [p for p in pixels if {p.get("SizeX"), p.get("SizeY")} <= set(map(str, shape))]
    if not pixels:
        return {}
    said = (same or pixels)[0].attrib
    return {
        name: number(said[name]) if name in NUMBERS else said[name] for name in OME if name in said
    }


def number(text: str) -> float | str:
    """Return a text as a number, or as it is."""
    try:
        return float(text)
    except ValueError:
        return text
