"""OME-XML of a TIFF (docs.openmicroscopy.org): the planes of its images that are in the file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from xml.etree import ElementTree

from unet_exp.images.limits import size

Element = ElementTree.Element


class OmeError(ValueError):
    """The file lacks planes that it should hold."""


@dataclass(frozen=True)
class OmeImage:
    """The indices of an image's pages in the file, in the order of ``axes`` and ``shape``."""

    pages: list[int]
    axes: str
    shape: tuple[int, ...]


def parse_xml(xml: str) -> Element:
    """Parse OME-XML; refuse declared entities, which could expand without end."""
    if "<!DOCTYPE" in xml or "<!ENTITY" in xml:
        raise ValueError("its XML declares entities")
    try:
        return ElementTree.fromstring(xml)  # noqa: S314 - no entities, and nothing external
    except ElementTree.ParseError as error:
        raise ValueError(f"its XML cannot be parsed: {error}") from error


def find_pixels(root: Element) -> list[Element]:
    """Return the Pixels elements of all images."""
    return root.findall("{*}Image/{*}Pixels")


def planes_in_file(xml: str, name: str, count: int) -> list[OmeImage]:
    """Return the images of OME-XML with their planes in the file ``name`` of ``count`` pages.

    Planes in other files of a set are left out, so an axis is as long as the file has planes along
    it. Planes with gaps along the axes form one axis without a name (I).

    Raises OmeError if the file lacks planes that it should hold, and ValueError or KeyError if the
    XML is invalid.

    >>> pixels = '<Pixels DimensionOrder="XYZCT" SizeX="9" SizeY="9" SizeZ="2" SizeC="1" SizeT="3">'
    >>> planes_in_file(f"<OME><Image>{pixels}<TiffData/></Pixels></Image></OME>", "a.tif", 6)
    [OmeImage(pages=[0, 1, 2, 3, 4, 5], axes='TCZ', shape=(3, 1, 2))]
    """
    root = parse_xml(xml)
    if root.find("{*}BinaryOnly") is not None:
        return []  # the metadata are in another file
    pixels = find_pixels(root)
    own = _own_uuid(root, pixels, name)
    found = [image for p in pixels if (image := _image(p, own, count, len(pixels) == 1))]
    if not found and pixels:
        raise ValueError("its OME-XML names only planes of other files")
    return found


def _own_uuid(root: Element, pixels: Sequence[Element], name: str) -> str | None:
    """Return the UUID of the file itself; None if the XML does not name it.

    It is the UUID of the root element, else that of the file with this name. If the file was
    renamed, it is the only UUID.
    """
    if "UUID" in root.attrib:
        return root.attrib["UUID"]
    named = [uuid for p in pixels for uuid in p.findall("{*}TiffData/{*}UUID")]
    for uuid in named:
        # The name may be a path of Windows.
        stated = PurePath(uuid.attrib.get("FileName", "").replace("\\", "/")).name
        if stated.lower() == name.lower():
            return uuid.text
    texts = {uuid.text for uuid in named}
    return texts.pop() if len(texts) == 1 else None


def _image(pixels: Element, own: str | None, count: int, is_only: bool) -> OmeImage | None:
    """Read a Pixels element; None if no plane is in this file."""
    axes, lengths = _axes(pixels)
    declared = size(lengths)
    pages: dict[int, int] = {}  # index of a plane to index of a page
    elsewhere, is_bare = 0, True
    for block in pixels.findall("{*}TiffData"):
        attributes = block.attrib
        is_bare = is_bare and not {"IFD", "PlaneCount", "NumPlanes"} & attributes.keys()
        first = [int(attributes.get(f"First{axis}", 0)) for axis in axes]
        if any(not 0 <= f < n for f, n in zip(first, lengths, strict=True)):
            continue  # ImageJ does not remove such blocks when it crops
        plane = 0
        for f, n in zip(first, lengths, strict=True):
            plane = plane * n + f
        default = 1 if "IFD" in attributes else 0
        planes = int(attributes.get("PlaneCount", attributes.get("NumPlanes", default)))
        uuid = block.find("{*}UUID")
        if uuid is not None and uuid.text != own:
            elsewhere += max(planes, 1)
            continue
        ifd = int(attributes.get("IFD", 0))
        planes = planes or min(count - ifd, declared - plane)
        if ifd < 0 or ifd + planes > count:
            raise OmeError(
                f"cut short: its OME-XML names pages up to {ifd + planes}, and it has {count}"
            )
        if plane + planes > declared:
            raise ValueError("its TiffData name more planes than there are")
        pages |= {plane + i: ifd + i for i in range(planes)}
    if not pages:
        return None
    if len(pages) < declared and not elsewhere:
        raise OmeError(f"cut short: its OME-XML says {declared} planes, and it has {len(pages)}")
    if is_only and is_bare and not elsewhere and len(pages) < count:
        raise ValueError(f"{len(pages)} planes are named, and there are {count} pages")
    return _in_order(pages, axes, lengths)


def _axes(pixels: Element) -> tuple[str, list[int]]:
    """Return the axes of planes and their lengths; the last one varies fastest."""
    order = pixels.attrib["DimensionOrder"]
    if sorted(order) != sorted("XYZCT") or order[:2] != "XY":
        raise ValueError(f"its DimensionOrder is {order!r}")
    channels = pixels.findall("{*}Channel")
    samples = {int(channel.attrib.get("SamplesPerPixel", 1)) for channel in channels} or {1}
    if len(samples) > 1 or min(samples) < 1:
        raise ValueError("its channels differ in samples per pixel")
    axes = order[:1:-1]
    lengths = [int(pixels.attrib[f"Size{a}"]) // (min(samples) if a == "C" else 1) for a in axes]
    if min(lengths) < 1:
        raise ValueError("one of its sizes is below 1")
    return axes, lengths


def _in_order(pages: dict[int, int], axes: str, lengths: Sequence[int]) -> OmeImage:
    """Return an image of planes, given the page of each; shorten axes to the planes."""
    planes = sorted(pages)
    along: list[set[int]] = [set() for _ in axes]
    for plane in planes:
        for axis in range(len(axes) - 1, -1, -1):
            plane, index = divmod(plane, lengths[axis])
            along[axis].add(index)
    shape = tuple(len(indices) for indices in along)
    ordered = [pages[plane] for plane in planes]
    if size(shape) != len(planes):
        return OmeImage(ordered, "I", (len(planes),))
    return OmeImage(ordered, axes, shape)
