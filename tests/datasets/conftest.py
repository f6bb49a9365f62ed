"""The real images, where there are any, and small ones in the same layout."""

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile

from unet_exp.datasets import opened


@pytest.fixture
def real_data() -> Path:
    """Folder with the publishers' images."""
    folder = os.environ.get("UNET_EXP_DATA")
    if not folder:
        pytest.skip("UNET_EXP_DATA is not set")
    return Path(folder)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each file is opened for reading, by name."""
    counts: Counter[str] = Counter()
    read = opened._open

    def counting(path: Path, in_memory: int):
        counts[str(path)] += 1
        return read(path, in_memory)

    monkeypatch.setattr(opened, "_open", counting)
    return counts


@pytest.fixture
def squares() -> Callable[..., np.ndarray]:
    """Draw a label image of numbered squares."""

    def draw(*corners: tuple[int, int], side: int = 6, size: int = 32) -> np.ndarray:
        labels = np.zeros((size, size), np.uint16)
        for number, (y, x) in enumerate(corners, start=1):
            labels[y : y + side, x : x + side] = number
        return labels

    return draw


Write = Callable[[str, np.ndarray], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write an array as a TIFF (single plane of grey values) or NPY below the test's folder."""

    def write(name: str, array: np.ndarray) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".npy":
            np.save(path, array)
        else:
            tifffile.imwrite(path, array, photometric="minisblack")
        return path

    return write


@pytest.fixture
def challenge(write: Write, squares: Callable[..., np.ndarray], tmp_path: Path) -> Path:
    """A Cell Tracking training set of three sequences; the data folder is returned.

    Each frame has three cells of 6 x 6 pixels with a marker of 2 x 2 in their middle. Gold: frame
    1 of each sequence, all cells but the third. Silver: every frame, all cells.
    """
    corners = (4, 4), (4, 20), (20, 8)
    cells = squares(*corners)
    markers = squares(*[(y + 2, x + 2) for y, x in corners], side=2)
    rng = np.random.default_rng(0)
    for sequence in ("01", "02", "03"):
        for frame in range(3):
            name = f"set/{sequence}"
            write(f"{name}/t{frame:03d}.tif", rng.integers(0, 4096, (32, 32), dtype=np.uint16))
            write(f"{name}_ST/SEG/man_seg{frame:03d}.tif", cells)
            write(f"{name}_GT/TRA/man_track{frame:03d}.tif", markers)
        write(f"{name}_GT/SEG/man_seg001.tif", np.where(cells == 3, 0, cells).astype(np.uint16))
    return tmp_path
