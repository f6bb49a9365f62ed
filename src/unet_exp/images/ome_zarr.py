"""OME-Zarr, versions 0.4 and 0.5 (ngff.openmicroscopy.org): images in chunks, of any size.

Attributes are best effort: where they make no sense, the array is read as if it were alone.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import zarr

from unet_exp.images.tags import Step, Tags, is_length
from unet_exp.images.tiff import axes_of_plain

AXES = "tczyx"
ARRAYS = (".zarray", "zarr.json")
logger = logging.getLogger(__name__)


def is_zarr(path: Path) -> bool:
    """Tell whether a folder is a Zarr group or array, of format 2 or 3."""
    return path.is_dir() and any((path / n).is_file() for n in ("zarr.json", ".zgroup", ".zarray"))


def open_zarr(path: Path) -> tuple[Any, str, Tags]:
    """Open the finest resolution of an OME-Zarr image, or a plain Zarr array.

    Returns the array, which is read by slices, its axes in tifffile's letters, and what it says
    of its pixels. Of an image converted by bioformats2raw the first series is taken.

    Raises
    ------
    ValueError
        The group holds no image.
    """
    try:
        node: Any = zarr.open(path, mode="r")
    except Exception as error:
        # The attributes of a group may be no JSON, and the arrays in it whole.
        if not (path / ".zgroup").is_file() and not is_array(path / "0"):
            raise
        if not is_array(path / "0"):
            raise ValueError(f"its metadata cannot be parsed ({error})") from error
        logger.warning("%s: its metadata cannot be parsed (%s); 0 is read.", path, error)
        node = zarr.open_array(path / "0", mode="r")
        return node, usual_axes(node.shape), Tags("zarr")
    if isinstance(node, zarr.Array):
        return node, axes_of_plain(node.shape), Tags("zarr")
    attributes = metadata(node)
    if "multiscales" not in attributes and "0" in node and isinstance(node["0"], zarr.Group):
        node = node["0"]
        attributes = metadata(node)
    image = first(attributes.get("multiscales"))
    finest = first(image.get("datasets"))
    array = array_at(node, finest.get("path"))
    if array is None:
        inner = ", ".join(sorted(node.group_keys())[:5])
        raise ValueError(
            "a Zarr group without OME's multiscales"
            + (f"; name the image in it, one of {inner}" if inner else "")
        )
    names = axis_names(image, array.ndim)
    if names is None:
        logger.warning("%s: its axes make no sense; the usual ones are taken.", path)
        return array, usual_axes(array.shape), Tags("zarr")
    letters = "".join(name.upper()[0] for name, _ in names)
    return array, letters, Tags("zarr", scale=steps(names, finest))


def is_array(path: Path) -> bool:
    """Tell whether a folder looks like a Zarr array."""
    return any((path / name).is_file() for name in ARRAYS)


def first(value: Any) -> Mapping[str, Any]:
    """Return the first of a list of objects; an empty one where there is none.

    >>> first([{"path": "0"}]), first("abc"), first([7])
    ({'path': '0'}, {}, {})
    """
    found = value[0] if isinstance(value, list) and value else None
    return found if isinstance(found, dict) else {}


def array_at(group: Any, path: Any) -> Any:
    """Return the array that a group's attributes name, else the one called 0; None without both."""
    for name in (path, "0"):
        # A path that leaves the group names another image.
        if isinstance(name, str) and name and ".." not in name.split("/"):
            try:
                node = group[name.strip("/")]
            except (KeyError, ValueError):
                continue
            if isinstance(node, zarr.Array):
                return node
    return None


def axis_names(image: Mapping[str, Any], ndim: int) -> list[tuple[str, Any]] | None:
    """Return name and unit of each axis; None where they do not fit the array.

    >>> axis_names({"axes": ["y", {"name": "x", "unit": "um"}]}, 2)
    [('y', None), ('x', 'um')]
    >>> axis_names({"axes": ["x"]}, 2) is None
    True
    """
    axes = image.get("axes", list(AXES[-ndim:]))
    if not isinstance(axes, list) or len(axes) != ndim:
        return None
    objects = [axis if isinstance(axis, dict) else {"name": axis} for axis in axes]
    names = [axis["name"] for axis in objects if isinstance(axis.get("name"), str) and axis["name"]]
    if len(names) < ndim:
        return None
    letters = [name[0].lower() for name in names]
    if len(set(letters)) < ndim or not {"x", "y"} <= set(letters):
        return None
    return [(name, axis.get("unit")) for name, axis in zip(names, objects, strict=True)]


def steps(names: list[tuple[str, Any]], finest: Mapping[str, Any]) -> dict[str, Step]:
    """Return the step along each axis but the channels, with its unit, where one makes sense."""
    known = finest.get("coordinateTransformations")
    known = known if isinstance(known, list) else []
    scales = [s.get("scale") for s in known if isinstance(s, dict) and s.get("type") == "scale"]
    scale = scales[0] if scales else [1.0] * len(names)
    if not isinstance(scale, list) or len(scale) != len(names):
        return {}
    return {
        name[0].lower(): (step, unit)
        for (name, unit), step in zip(names, scale, strict=True)
        if name[0].lower() != "c" and is_length(step)
    }


def usual_axes(shape: tuple[int, ...]) -> str:
    """Return the axes that an array of an OME-Zarr image has where it does not say."""
    return AXES.upper() if len(shape) == len(AXES) else axes_of_plain(shape)


def holds_image(path: Path) -> bool:
    """Tell whether a Zarr folder is an array or an image, not a group of images."""
    try:
        node = zarr.open(path, mode="r")
    except Exception:  # whatever is wrong with it is said where it is read
        return True
    return isinstance(node, zarr.Array) or bool(metadata(node).get("multiscales"))


def metadata(group: Any) -> dict[str, Any]:
    """Give OME's attributes of a group, wherever its version keeps them."""
    attributes = dict(group.attrs)
    found = attributes.get("ome", attributes)
    return found if isinstance(found, dict) else attributes
