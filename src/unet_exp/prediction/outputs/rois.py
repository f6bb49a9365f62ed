"""Outlines for the ROI Manager of ImageJ and Fiji."""

import zipfile
from pathlib import Path

import numpy as np
from roifile import ROI_OPTIONS, ROI_TYPE, ImagejRoi

from unet_exp.files import replacing
from unet_exp.prediction.outlines import Polygon
from unet_exp.prediction.segmented import Segmented

LARGEST = 32_767
"""Coordinates above this are stored as fractions only, since ImageJ's integers have 16 bits."""
MOVE, LINE, CLOSE = 0.0, 1.0, 4.0
"""Codes of the segments of a path (java.awt.geom.PathIterator)."""


class Rois:
    """``NAME_rois.zip``: a ROI for each object, named by the object's number.

    ROIs of a stack belong to their page. Coordinates are corners of pixels, so a ROI has exactly
    the pixels of its object.
    """

    def ending(self, image: Path) -> str:
        """Return the end of the file's name."""
        return "_rois.zip"

    def write(self, file: Path, found: Segmented) -> None:
        """Write the ROIs of all pages."""
        with replacing(file) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
            for page, place in enumerate(found.places()):
                for number, polygons in found.outlines(page):
                    name = f"{number:05d}" if not place else f"{page + 1:04d}-{number:05d}"
                    one = roi(polygons, name)
                    if "z" in place and "t" in place:
                        one.z_position, one.t_position = place["z"] + 1, place["t"] + 1
                    elif place:
                        one.position = page + 1
                    archive.writestr(f"{name}.roi", one.tobytes())


def roi(polygons: list[Polygon], name: str) -> ImagejRoi:
    """Return a polygon ROI, or a composite one for an object of several parts or with holes.

    >>> square = np.array([[0, 0], [2, 0], [2, 2], [0, 2]])
    >>> roi([[square]], "1").integer_coordinates.tolist()
    [[0, 0], [2, 0], [2, 2], [0, 2]]
    """
    rings = [ring for polygon in polygons for ring in polygon]
    corners = np.concatenate(rings)
    is_far = int(corners.max()) > LARGEST
    if len(rings) == 1:
        one = ImagejRoi.frompoints(corners.astype(np.float32) if is_far else corners, name=name)
        one.roitype = ROI_TYPE.POLYGON
        # In ImageJ, the bounds of a polygon end at its last corner.
        one.right, one.bottom = (min(int(n), 2**16 - 1) for n in corners.max(axis=0))
        return one
    one = ImagejRoi()
    one.name, one.roitype = name, ROI_TYPE.RECT
    one.options = ROI_OPTIONS.OVERLAY_BACKGROUNDS | ROI_OPTIONS.OVERLAY_LABELS
    one.left, one.top = map(int, corners.min(axis=0))
    one.right, one.bottom = map(int, corners.max(axis=0))
    one.multi_coordinates = np.array([n for ring in rings for n in path(ring)], np.float32)
    one.shape_roi_size = len(one.multi_coordinates)
    return one


def path(ring: np.ndarray) -> list[float]:
    """Return a closed ring as the segments of a path.

    >>> path(np.array([[0, 0], [2, 0], [2, 2]]))
    [0.0, 0, 0, 1.0, 2, 0, 1.0, 2, 2, 4.0]
    """
    first, *others = ring.tolist()
    return [MOVE, *first, *(n for corner in others for n in (LINE, *corner)), CLOSE]
