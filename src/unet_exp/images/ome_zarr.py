"""OME-Zarr 0.4 and 0.5 (ngff.openmicroscopy.org): images of any size, stored in chunks.

If the attributes of a group are invalid, its array is read without them.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from unet_exp.images.limits import require_memory, require_plausible, size
from unet_exp.images.stored_image import StoredImage, find_layout, guess_axes, require_series
from unet_exp.images.tags import Step, Tags, is_length

AXES = "tczyx"
logger = logging.getLogger(__name__)


def is_zarr(path: Path) -> bool:
    """Return whether a folder is a Zarr group or array, of format 2 or 3."""
    return path.is_dir() and any((path / n).is_file() for n in ("zarr.json", ".zgroup", ".zarray"))


def holds_image(path: Path) -> bool:
    """Return whether a Zarr folder is an image and not a group of images."""
    import zarr  # its import takes a tenth of a second, which other formats do not need

    try:
        node = zarr.open(path, mode="r")
    except Exception:  # the error is reported when the image is read
        return True
    return isinstance(node, zarr.Array) or bool(_attributes(node).get("multiscales"))


@contextmanager
def open_zarr(path: Path, in_memory: int, series: int | None = None) -> Iterator[StoredImage]:
    """Open the finest resolution of an OME-Zarr image, or a plain Zarr array, to read by slices.

    Without ``series``, the first one of an image that bioformats2raw converted is taken.
    """
    stored = _find_image(path, series)
    array = stored.array
    declared = size(array.shape, array.dtype.itemsize)
    files = (p.stat().st_size for p in path.rglob("*") if p.is_file())
    pages = find_layout(array.shape, stored.axes).pages if stored.axes else range(array.ndim - 2)
    require_plausible(declared, files, size([array.shape[axis] for axis in pages]))
    require_memory(size(array.chunks, array.dtype.itemsize), "one of its chunks")
    if (missing := array.nchunks - array.nchunks_initialized) > 0:
        logger.warning(
            "%s: %d of its %d chunks are missing and are read as %s. If it was copied, copy it "
            "again.", path, missing, array.nchunks, array.fill_value,
        )  # fmt: skip
    yield stored


def _find_image(path: Path, series: int | None) -> StoredImage:
    """Find the array of the image, its axes and its tags."""
    import zarr

    try:
        node: Any = zarr.open(path, mode="r")
    except Exception as error:
        # The array of a group with invalid attributes may be valid.
        array_in_it = any((path / "0" / name).is_file() for name in (".zarray", "zarr.json"))
        if not array_in_it:
            raise ValueError(f"its metadata cannot be parsed ({error})") from error
        logger.warning("%s: its metadata cannot be parsed (%s); 0 is read.", path, error)
        array = zarr.open_array(path / "0", mode="r")
        return StoredImage(array, _usual_axes(array.shape), tags=Tags("zarr"))
    if isinstance(node, zarr.Array):
        require_series(series, 1)
        return StoredImage(node, tags=Tags("zarr"))
    attributes = _attributes(node)
    if "multiscales" not in attributes and "0" in node and isinstance(node["0"], zarr.Group):
        count = sum(1 for name in node.group_keys() if name.isdecimal())
        require_series(series, count)
        node = node[str(series or 0)]
        attributes = _attributes(node)
    else:
        require_series(series, 1)
    image = first_object(attributes.get("multiscales"))
    finest = first_object(image.get("datasets"))
    array = _array_at(node, finest.get("path"))
    if array is None:
        inner = ", ".join(sorted(node.group_keys())[:5])
        raise ValueError(
            "a Zarr group without OME's multiscales"
            + (f"; name the image in it, one of {inner}" if inner else "")
        )
    names = axis_names(image, array.ndim)
    if names is None:
        logger.warning("%s: its axes are invalid; the usual ones are taken.", path)
        return StoredImage(array, _usual_axes(array.shape), tags=Tags("zarr"))
    letters = "".join(name.upper()[0] for name, _ in names)
    return StoredImage(array, letters, tags=Tags("zarr", scale=_steps(names, finest)))


def _attributes(group: Any) -> dict[str, Any]:
    """Return OME's attributes of a group, in version 0.4 or 0.5."""
    attributes = dict(group.attrs)
    found = attributes.get("ome", attributes)
    return found if isinstance(found, dict) else attributes


def first_object(value: Any) -> Mapping[str, Any]:
    """Return the first object of a list; an empty one for anything else.

    >>> first_object([{"path": "0"}]), first_object("abc"), first_object([7])
    ({'path': '0'}, {}, {})
    """
    found = value[0] if isinstance(value, list) and value else None
    return found if isinstance(found, dict) else {}


def _array_at(group: Any, path: Any) -> Any:
    """Return the array at a path in a group, else the one named 0, else None."""
    import zarr

    for name in (path, "0"):
        # A path must not leave the group.
        if isinstance(name, str) and name and ".." not in name.split("/"):
            try:
                node = group[name.strip("/")]
            except (KeyError, ValueError):
                continue
            if isinstance(node, zarr.Array):
                return node
    return None


def _usual_axes(shape: tuple[int, ...]) -> str:
    """Return the axes of an array of an OME-Zarr image that does not name them."""
    return AXES.upper() if len(shape) == len(AXES) else guess_axes(shape)


def axis_names(image: Mapping[str, Any], ndim: int) -> list[tuple[str, Any]] | None:
    """Return the name and unit of each axis; None if they do not fit the array.

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
    letters = {name[0].lower() for name in names}
    if len(letters) < ndim or not {"x", "y"} <= letters:
        return None
    return [(name, axis.get("unit")) for name, axis in zip(names, objects, strict=True)]


def _steps(names: list[tuple[str, Any]], finest: Mapping[str, Any]) -> dict[str, Step]:
    """Return the valid steps and their units along all axes but channels."""
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
