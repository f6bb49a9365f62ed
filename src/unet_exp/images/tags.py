"""Pixel sizes, times and units of a file, which are copied to its results.

They are read from ImageJ, OME-TIFF (docs.openmicroscopy.org), OME-Zarr (ngff.openmicroscopy.org)
and plain TIFF. Invalid values are dropped; the pixels are read without them.
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import tifffile

from unet_exp.images.ome import find_pixels, parse_xml
from unet_exp.numbers import parse_number

IMAGEJ = ("unit", "yunit", "zunit", "spacing", "finterval", "fps", "tunit", "xorigin", "yorigin")
"""ImageJ's values that are also valid for results."""
OME = tuple(
    f"{name}{suffix}"
    for name in ("PhysicalSizeX", "PhysicalSizeY", "PhysicalSizeZ", "TimeIncrement")
    for suffix in ("", "Unit")
)
"""Attributes of OME's Pixels element that are also valid for results."""
UNITS = {
    "nm": "nanometer", "µm": "micrometer", "um": "micrometer", "micron": "micrometer",
    "microns": "micrometer", "μm": "micrometer", "mm": "millimeter", "cm": "centimeter",
    "ms": "millisecond", "s": "second", "sec": "second", "min": "minute", "h": "hour",
}  # fmt: skip
"""OME-Zarr's names for the units of ImageJ and OME."""
SYMBOLS = {name: symbol for symbol, name in reversed(UNITS.items())}
"""The first symbol of each name."""
TIFF_UNITS = {2: 25_400.0, 3: 10_000.0, 4: 1000.0, 5: 1.0}
"""Micrometres of TIFF's unit codes; the last two are tifffile's."""
LENGTHS = ("spacing", "finterval", "fps", *(name for name in OME if not name.endswith("Unit")))
"""Values that must be above 0."""
NUMBERS = (*LENGTHS, "xorigin", "yorigin")
LONGEST_UNIT = 64
MICROMETRES = {"nanometer": 1e-3, "micrometer": 1.0, "millimeter": 1e3, "centimeter": 1e4}
INCH = 2
"""TIFF's code of the inch. Programs use it for the size of a print, not of a specimen."""
Step = tuple[float, str | None]
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tags:
    """The pixel sizes and units of a file. Invalid values are dropped.

    Attributes
    ----------
    kind
        "tiff", "imagej", "ome" or "zarr"; empty for files without tags (PNG, NPY).
    resolution, unit
        TIFF's pixels per unit along x and y as ratios, and the code of the unit (1 none, 2 inch,
        3 cm).
    details
        ImageJ's or OME's values by name.
    scale
        OME-Zarr's step and unit of each axis.

    >>> Tags("imagej", ((0, 0), (1, 1)), 77, {"unit": "um", "spacing": float("nan"), "fps": "x"})
    Tags(kind='imagej', resolution=None, unit=1, details={'unit': 'um'}, scale={})
    """

    kind: str = ""
    resolution: tuple[tuple[int, int], tuple[int, int]] | None = None
    unit: int = 1
    details: dict[str, Any] = field(default_factory=dict)
    scale: dict[str, Step] = field(default_factory=dict)

    def __post_init__(self) -> None:
        scale = {
            str(axis): (float(step), unit if is_unit(unit) else None)
            for axis, (step, unit) in self.scale.items()
            if is_length(step)
        }
        object.__setattr__(self, "resolution", valid_resolution(self.resolution))
        object.__setattr__(self, "unit", self.unit if self.unit in (1, *TIFF_UNITS) else 1)
        object.__setattr__(self, "details", _valid_details(self.details))
        object.__setattr__(self, "scale", scale)

    def transposed(self) -> "Tags":
        """Return the tags of the transposed image.

        >>> Tags("ome", ((3, 1), (4, 1)), details={"PhysicalSizeX": 0.5}).transposed().details
        {'PhysicalSizeY': 0.5}
        """
        exchange = str.maketrans("XY", "YX")
        details = {
            name.translate(exchange) if name.startswith("PhysicalSize") else name: value
            for name, value in self.details.items()
        }
        resolution = self.resolution[::-1] if self.resolution else None
        return replace(self, resolution=resolution, details=details)

    def steps(self) -> dict[str, Step]:
        """Return the known steps along x, y, z and t, with OME-Zarr's names of units.

        >>> Tags("imagej", ((4, 1), (4, 1)), details={"unit": "um", "spacing": 2.0}).steps()
        {'x': (0.25, 'micrometer'), 'y': (0.25, 'micrometer'), 'z': (2.0, 'micrometer')}
        """
        details = self.details
        if self.kind == "ome":
            names = {axis: (f"PhysicalSize{axis.upper()}", "µm") for axis in "xyz"}
            names["t"] = "TimeIncrement", "s"
            return {
                axis: (float(details[name]), unit_name(details.get(f"{name}Unit", default)))
                for axis, (name, default) in names.items()
                if name in details
            }
        pixel = {a: b / t for a, (t, b) in zip("xy", self.resolution or (), strict=False)}
        if self.kind == "imagej" and "unit" in details:
            unit = unit_name(details["unit"])
            steps: dict[str, Step] = {axis: (step, unit) for axis, step in pixel.items()}
            if "spacing" in details:
                steps["z"] = float(details["spacing"]), unit
            if "finterval" in details:
                steps["t"] = float(details["finterval"]), unit_name(details.get("tunit", "s"))
            return steps
        if self.kind == "tiff" and self.unit in TIFF_UNITS:
            return {a: (step * TIFF_UNITS[self.unit], "micrometer") for a, step in pixel.items()}
        return self.scale

    def pixel_size(self) -> float | None:
        """Return the side of a pixel in micrometres; None if it is unknown, or no square.

        >>> Tags("imagej", ((4, 1), (4, 1)), details={"unit": "um"}).pixel_size()
        0.25
        """
        steps = self.steps()
        if not {"x", "y"} <= steps.keys() or (self.kind == "tiff" and self.unit == INCH):
            return None
        (width, unit), (height, other) = steps["x"], steps["y"]
        if unit != other or unit not in MICROMETRES or abs(width - height) > 0.01 * width:
            return None
        return width * MICROMETRES[unit]


def micrometre_tags(steps: Mapping[str, float]) -> Tags:
    """Return the tags of steps along x, y and z in micrometres, and along t in seconds.

    >>> micrometre_tags({"x": 0.25, "y": 0.5, "t": 3.0}).steps()
    {'x': (0.25, 'micrometer'), 'y': (0.5, 'micrometer'), 't': (3.0, 'second')}
    """
    valid = {axis: step for axis, step in steps.items() if is_length(step)}
    details: dict[str, Any] = {"unit": "um"} if {"x", "y"} <= valid.keys() else {}
    names = {"z": "spacing", "t": "finterval"}
    details |= {names[axis]: step for axis, step in valid.items() if axis in names}
    ratios = None
    if "unit" in details:
        per_pixel = (Fraction(1 / valid[axis]).limit_denominator(10**6) for axis in "xy")
        ratios = tuple((ratio.numerator, ratio.denominator) for ratio in per_pixel)
    return Tags("imagej", ratios, details=details)  # pyright: ignore[reportArgumentType]


def unit_name(unit: Any) -> str:
    """Return OME-Zarr's name of a unit, or an unknown unit itself.

    >>> unit_name("um"), unit_name("parsec")
    ('micrometer', 'parsec')
    """
    return UNITS.get(str(unit), str(unit))


def is_length(value: Any) -> bool:
    """Return whether a value is a length or a duration: a finite number above 0.

    >>> is_length(0.5), is_length("0.5"), is_length(-1), is_length(float("inf")), is_length(True)
    (True, False, False, False, False)
    """
    return type(value) in (int, float) and 1e-30 < value < 1e30


def is_unit(value: Any) -> bool:
    r"""Return whether a value can name a unit: a short text that can be printed.

    >>> is_unit("µm"), is_unit(["um"]), is_unit("um\nz=9"), is_unit("")
    (True, False, False, False)
    """
    return isinstance(value, str) and 0 < len(value) <= LONGEST_UNIT and value.isprintable()


def valid_resolution(pair: Any) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Return two ratios of integers from 1 to 2**32 - 1, as in TIFF; None for anything else.

    >>> valid_resolution(((300, 1), (300, 1))), valid_resolution(((1, 0), (1, 1)))
    (((300, 1), (300, 1)), None)
    """
    try:
        (a, b), (c, d) = [(int(top), int(bottom)) for top, bottom in pair]
    except (TypeError, ValueError, OverflowError):
        return None
    return ((a, b), (c, d)) if all(0 < n < 2**32 for n in (a, b, c, d)) else None


def _valid_details(details: Mapping[str, Any]) -> dict[str, Any]:
    """Return the valid values of ImageJ or OME."""

    def is_valid(name: str, value: Any) -> bool:
        if name in LENGTHS:
            return is_length(value)
        if name in NUMBERS:
            return type(value) in (int, float) and abs(value) < 1e30
        return is_unit(value)

    valid = {name: value for name, value in details.items() if is_valid(name, value)}
    # A size without its unit would be read as micrometres.
    without_unit = {n.removesuffix("Unit") for n in details.keys() - valid if n in OME}
    return {name: value for name, value in valid.items() if name not in without_unit}


def read_tags(file: tifffile.TiffFile, shape: tuple[int, ...] = ()) -> Tags:
    """Read the tags of the image with this shape in a TIFF."""
    try:
        page = file.pages[0].aspage()
        ratios: Any = tuple(page.tags.valueof(name) for name in ("XResolution", "YResolution"))
        unit = page.tags.valueof("ResolutionUnit", default=2)
        unit = int(unit) if isinstance(unit, int) else 1
        if is_ome_xml(page.description):
            return Tags("ome", ratios, unit, _ome_details(page.description, shape))
        if page.is_imagej:
            details = imagej_details(page.imagej_description or "")
            return Tags("imagej", ratios, unit, details)
        return Tags("tiff", ratios, unit)
    except Exception as error:  # tifffile's parsers raise any exception
        logger.warning(
            "%s: its pixel sizes cannot be read (%s); results will have none.", file.filename, error
        )
        return Tags("tiff")


def is_ome_xml(description: str) -> bool:
    """Return whether a TIFF's description is OME-XML."""
    return description[-10:].strip().endswith("OME>")


def imagej_values(description: str) -> dict[str, str]:
    """Return the values of ImageJ's description by name."""
    pairs = (line.partition("=")[::2] for line in description.splitlines())
    return {name.strip(): value.strip() for name, value in pairs}


def imagej_details(description: str) -> dict[str, Any]:
    r"""Return ImageJ's values that are also valid for results.

    >>> imagej_details("ImageJ=1.54\nunit=micron\nspacing=2\nfinterval=soon")
    {'unit': 'micron', 'spacing': 2}
    >>> imagej_details(r"unit=\u00B5m")
    {'unit': 'µm'}
    """
    details: dict[str, Any] = {}
    for name, value in imagej_values(description).items():
        if name in NUMBERS:
            details[name] = parse_number(value)
        elif name in IMAGEJ:  # ImageJ writes letters beyond ASCII as Java does
            details[name] = re.sub(r"\\u([0-9A-Fa-f]{4})", lambda m: chr(int(m[1], 16)), value)
    return _valid_details(details)


def _ome_details(xml: str, shape: tuple[int, ...]) -> dict[str, Any]:
    """Return OME's pixel sizes of the first image with this shape; none for invalid XML."""
    try:
        pixels = find_pixels(parse_xml(xml))
    except ValueError:
        return {}
    same = [p for p in pixels if {p.get("SizeX"), p.get("SizeY")} <= set(map(str, shape))]
    attributes = (same or pixels)[0].attrib if pixels else {}
    return {
        name: parse_number(value) if name in NUMBERS else value
        for name, value in attributes.items()
        if name in OME
    }
