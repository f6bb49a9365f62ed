"""A new format needs only one entry."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from tests.images.stored_pages import read_pages

from unet_exp.images import formats
from unet_exp.images.reading import read_images
from unet_exp.images.stored_image import StoredImage


@contextmanager
def open_text(path: Path, in_memory: int, series: int | None) -> Iterator[StoredImage]:
    """Read numbers below a line that says ``grid``."""
    rows = path.read_text().splitlines()[1:]
    yield StoredImage(np.array([list(map(int, row.split())) for row in rows]), "YX")


def test_an_entry_makes_files_of_its_format_readable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.grid"
    path.write_text("grid\n1 2 3\n4 5 6\n")
    with pytest.raises(ValueError, match="neither PNG nor TIFF nor NPY"):
        read_pages(path)
    text = formats.Format("grid", (".grid",), (b"grid",), open_text)
    monkeypatch.setattr(formats, "FORMATS", (*formats.FORMATS, text))
    assert_array_equal(read_pages(path), [[[[1, 2, 3], [4, 5, 6]]]])
    assert read_images(path, "minmax")[0].max() == 1
    path.write_text("grid\n1 2 3\n4 5 x\n")
    with pytest.raises(ValueError, match=r"a\.grid cannot be read \(invalid literal"):
        read_pages(path)
