"""OME-Zarr, versions 0.4 and 0.5 (ngff.openmicroscopy.org): images in chunks, of any size."""

from pathlib import Path
from typing import Any

import zarr

from unet_exp.datasets.tags import Tags
from unet_exp.datasets.tiff import axes_of_plain


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
    node: Any = zarr.open(path, mode="r")
    if isinstance(node, zarr.Array):
        return node, axes_of_plain(node.shape), Tags("zarr")
    attributes = metadata(node)
    if "multiscales" not in attributes and "0" in node and isinstance(node["0"], zarr.Group):
        node = node["0"]
        attributes = metadata(node)
    if not attributes.get("multiscales"):
        inner = ", ".join(sorted(node.group_keys())[:5])
        raise ValueError(
            "a Zarr group without OME's multiscales"
            + (f"; name the image in it, one of {inner}" if inner else "")
        )
    image = attributes["multiscales"][0]
    array = node[image["datasets"][0]["path"]]
    axes = [
        a if isinstance(a, dict) else {"name": a} for a in image.get("axes", "tczyx"[-array.ndim :])
    ]
    steps = image["datasets"][0].get("coordinateTransformations", [])
    scales = next((s["scale"] for s in steps if s.get("type") == "scale"), [1.0] * len(axes))
    scale = {
        a["name"]: (float(s), a.get("unit"))
        for a, s in zip(axes, scales, strict=True)
        if a.get("type") != "channel"
    }
    letters = "".join(a["name"].upper()[0] for a in axes)
    return array, letters, Tags("zarr", scale=scale)


def holds_image(path: Path) -> bool:
    """Tell whether a Zarr folder is an array or an image, not a group of images."""
    node = zarr.open(path, mode="r")
    return isinstance(node, zarr.Array) or bool(metadata(node).get("multiscales"))


def metadata(group: Any) -> dict[str, Any]:
    """Give OME's attributes of a group, wherever its version keeps them."""
    attributes = dict(group.attrs)
    return attributes.get("ome", attributes)
