"""Draw docs/images/cells.png: python docs/pictures/found_cells.py RUN_FOLDER.

RUN_FOLDER is that of ``make train``. The image belongs to the test split, which no training sees.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

import unet_exp
from unet_exp.datasets.synthetic import Synthetic
from unet_exp.pictures.colours import alike, coloured, picture

SIDE = 208
BETWEEN = 8


def main(run: str) -> None:
    sample = Synthetic(train=1, validation=1).split("test")[0]
    assert sample.labels is not None
    found = unet_exp.load(run).segment(sample.image[0]).astype(np.int32)
    image, labels = picture(sample.image, *found.shape), sample.labels
    panels = image, coloured(image, labels), coloured(image, alike(found, labels))
    canvas = Image.new("RGB", (3 * SIDE + 2 * BETWEEN, SIDE), "white")
    for number, panel in enumerate(panels):
        part = Image.fromarray(panel[:SIDE, :SIDE])
        canvas.paste(part, (number * (SIDE + BETWEEN), 0))
    # 256 colours make the file a third as large.
    path = Path(__file__).parents[1] / "images" / "cells.png"
    canvas.quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path}: {path.stat().st_size // 1024} kB")


if __name__ == "__main__":
    main(*sys.argv[1:])
