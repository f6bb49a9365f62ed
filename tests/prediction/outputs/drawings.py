"""Images with drawn objects, as predict.py finds them."""

from typing import Any

import numpy as np

from unet_exp.images.tags import Tags
from unet_exp.prediction.segmented import Segmented

#: A ring (a hole), a square, and an object of two parts.
DRAWN = np.array(
    [
        [1, 1, 1, 0, 2, 2],
        [1, 0, 1, 0, 2, 2],
        [1, 1, 1, 0, 0, 0],
        [0, 0, 0, 3, 0, 3],
    ],
    np.uint32,
)
MICROSCOPE = Tags("imagej", ((4, 1), (2, 1)), 1, {"unit": "um"})


def segmented(*pages: np.ndarray, tags: Tags | None = None, **changes: Any) -> Segmented:
    """Return pages of instances as they are found, with images of two channels."""
    images = [np.stack([page * 10, page + 5]).astype(np.uint16) for page in pages]
    values = {
        "images": images,
        "probabilities": [(page > 0) * np.float32(0.75) for page in pages],
        "instances": [*pages],
        "classes": [],
        "largest_label": max(int(page.max()) for page in pages),
        "axes": "" if len(pages) == 1 else "T",
        "shape": () if len(pages) == 1 else (len(pages),),
        "tags": tags or Tags(),
    }
    return Segmented(**(values | changes))
