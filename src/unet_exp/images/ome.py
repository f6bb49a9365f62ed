"""OME-XML in a TIFF (docs.openmicroscopy.org): which planes of which images lie in the file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from xml.etree import ElementTree

from unet_exp.images.limits import size


class OmeError(ValueError):
    """Planes that should be in the file are not there."""


@dataclass(frozen=True)
class OmeImage:
    """An image: its pages' numbers in the file, in the order of ``axes`` with lengths ``shape``."""

    pages: list[int]
    axes: str
    shape: tuple[int, ...]


def own_planes(xml: str, name: str, count: int) -> list[OmeImage]:
    """List the images of OME-XML with the planes that lie in the file ``name`` of ``count`` pages.

    Of a set of files, the planes of the others count for nothing: the axes are as long as the file
    itself has planes along them. Planes whose numbers along the axes leave gaps stand in one axis
    without a name (I).

    Raises
    ------
    OmeError
        Planes are missing that should be in this file.
    ValueError
        The XML cannot be parsed, or makes no sense (also KeyError).

    >>> pixels = '<Pixels DimensionOrder="XYZCT" SizeX="9" SizeY="9" SizeZ="2" SizeC="1" SizeT="3">'
    >>> own_planes(f"<OME><Image>{pixels}<TiffData/></Pixels></Image></OME>", "a.tif", 6)
    [OmeImage(pages=[0, 1, 2, 3, 4, 5], axes='TCZ', shape=(3, 1, 2))]
    """
    root = parsed(xml)
    if any(local(child) == "BinaryOnly" for child in root):
        return []  # the metadata lie in another file
    pixels = [p for image in root if local(image) == "Image" for p in image if local(p) == "Pixels"]
    own = own_uuid(root, pixels, name)
    found = [image for p in pixels if (image := _image(p, own, count, len(pixels) == 1))]
    if not found and pixels:
        raise ValueError("its OME-XML names planes of other files alone")
    return found


def parsed(xml: str) -> ElementTree.Element:
    """Parse OME-XML, which declares no entities: so none can be expanded without end.

    Raises
    ------
    ValueError
        It cannot be parsed.
    """
    if "<!DOCTYPE" in xml or "<!ENTITY" in xml:
        raise ValueError("its XML declares entities")
    try:
        return ElementTree.fromstring(xml)  # noqa: S314 - no entities, and nothing external
    except ElementTree.ParseError as error:
        raise ValueError(f"its XML cannot be parsed: {error}") from error


def local(element: ElementTree.Element) -> str:
    """Return an element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def uuids(block: ElementTree.Element) -> list[ElementTree.Element]:
    """Return the element that says in which file a block of planes lies, if there is one."""
    return [child for child in block if local(child) == "UUID"][:1]


def own_uuid(
    root: ElementTree.Element, pixels: Sequence[ElementTree.Element], name: str
) -> str | None:
    """Return the UUID by which the XML calls the file itself; None if it never names it.

    That is the UUID of the root, else that of the file of this name, else (it was renamed) the only
    one there is.
    """
    if "UUID" in root.attrib:
        return root.attrib["UUID"]
    named = [u for p in pixels for block in p if local(block) == "TiffData" for u in uuids(block)]
    for u in named:
        # Written on Windows, the name may hold a path of its.
        stated = PurePath(u.attrib.get("FileName", "").replace("\\", "/")).name
        if stated.lower() == name.lower():
            return u.text
    texts = {u.text for u in named}
    return texts.pop() if len(texts) == 1 else None


def _image(
    pixels: ElementTree.Element, own: str | None, count: int, alone: bool
) -> OmeImage | None:
    """Read one Pixels element; None if none of its planes is in this file."""
    order = pixels.attrib["DimensionOrder"]
    if sorted(order) != sorted("XYZCT") or order[:2] != "XY":
        raise ValueError(f"its DimensionOrder is {order!r}")
    samples = [
        int(c.attrib.get("SamplesPerPixel", 1)) for c in pixels if local(c) == "Channel"
    ] or [1]
    if len(set(samples)) > 1 or samples[0] < 1:
        raise ValueError("its channels differ in samples per pixel")
    axes = order[:1:-1]  # last varies fastest
    lengths = [int(pixels.attrib[f"Size{axis}"]) for axis in axes]
    lengths = [n // samples[0] if a == "C" else n for a, n in zip(axes, lengths, strict=True)]
    if min(lengths) < 1:
        raise ValueError("one of its sizes is below 1")
    declared = size(lengths)
    pages: dict[int, int] = {}
    elsewhere, bare = 0, True
    for block in (b for b in pixels if local(b) == "TiffData"):
        said = block.attrib
        bare = bare and not {"IFD", "PlaneCount", "NumPlanes"} & said.keys()
        file = next((u.text for u in uuids(block)), own)
        first = [int(said.get(f"First{axis}", 0)) for axis in axes]
        if any(not 0 <= f < n for f, n in zip(first, lengths, strict=True)):
            continue  # ImageJ leaves such behind when it crops
        plane = 0
        for f, n in zip(first, lengths, strict=True):
            plane = plane * n + f
        number = int(said.get("PlaneCount", said.get("NumPlanes", 1 if "IFD" in said else 0)))
        if file != own:
            elsewhere += max(number, 1)
            continue
        ifd = int(said.get("IFD", 0))
        number = number or min(count - ifd, declared - plane)
        if ifd < 0 or ifd + number > count:
            raise OmeError(
                f"cut short: its OME-XML names pages up to {ifd + number}, and it has {count}"
            )
        if plane + number > declared:
            raise ValueError("its TiffData name more planes than there are")
        pages |= {plane + i: ifd + i for i in range(number)}
    if not pages:
        return None
    if len(pages) < declared and not elsewhere:
        raise OmeError(f"cut short: its OME-XML says {declared} planes, and it has {len(pages)}")
    if alone and bare and not elsewhere and len(pages) < count:
        raise ValueError(f"{len(pages)} planes are named, and there are {count} pages")
    return _in_order(pages, axes, lengths)


def _in_order(pages: dict[int, int], axes: str, lengths: Sequence[int]) -> OmeImage:
    """Find the axes in which planes stand that have these numbers."""
    planes = sorted(pages)
    along: list[set[int]] = [set() for _ in axes]
    for plane in planes:
        for axis in range(len(axes) - 1, -1, -1):
            plane, at = divmod(plane, lengths[axis])
            along[axis].add(at)
    shape = tuple(len(found) for found in along)
    ordered = [pages[plane] for plane in planes]
    if size(shape) != len(planes):
        return OmeImage(ordered, "I", (len(planes),))
    return OmeImage(ordered, axes, shape)
