"""PNG files with a palette, written and shown by Pillow."""

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image, ImageOps

from unet_exp.datasets.folder import Folder
from unet_exp.datasets.labels.files import read_labels

MASK = np.zeros((40, 48), np.uint8)
MASK[5:20, 6:30] = 1
THREE = MASK.copy()
THREE[25:35, 5:20], THREE[22:38, 30:40] = 2, 3
FALLING = [255 - number // 3 for number in range(768)]


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unet_exp.images.display._warned", set())


def greys(*values: int) -> list[int]:
    return [value for value in values for _ in range(3)]


def save(path: Path, indices: np.ndarray, palette: list[int], **options) -> Path:
    picture = Image.fromarray(indices)
    picture.putpalette(palette)
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, **options)
    assert path.read_bytes()[25] == 3
    return path


@pytest.mark.parametrize(
    ("indices", "palette"),
    [
        (MASK * 255, FALLING),  # Fiji's inverting lookup table
        (THREE, FALLING),
        (THREE, [255 - value for value in FALLING]),
        (THREE * 5, greys(*range(255, -1, -17))),  # of 16 greys
        (THREE, greys(0, 85, 170, 255)),
        (THREE, greys(255, 170, 85, 0)),
        (np.minimum(THREE, 2), greys(0, 128, 255)),
        (np.minimum(THREE, 2), greys(0, 127, 255)),
        (MASK, greys(0, 128, 255)),  # not all are in use
    ],
)
def test_a_lookup_table_of_greys_holds_indices(
    tmp_path: Path, indices: np.ndarray, palette: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    (found,) = read_labels(save(tmp_path / "a.png", indices, palette))
    assert_array_equal(found, indices)
    assert "indices of a palette of greys: 0 is the background" in caplog.text


@pytest.mark.parametrize(
    "values", [(0, 255), (255, 0), (0, 1, 5), (0, 1, 255), (3, 0, 1, 2), (0, 255, 128)]
)
def test_a_grey_picture_that_was_made_smaller_holds_greys(
    tmp_path: Path, values: tuple[int, ...], caplog: pytest.LogCaptureFixture
) -> None:
    indices = np.minimum(THREE, len(values) - 1)
    path = save(tmp_path / "a.png", indices, greys(*values))
    assert_array_equal(read_labels(path)[0], np.asarray(Image.open(path).convert("L")))
    assert "the greys that the palette shows" in caplog.text


def test_pillow_makes_a_mask_smaller(tmp_path: Path) -> None:
    Image.fromarray(np.dstack([MASK * 255] * 3)).quantize(2).save(tmp_path / "a.png")
    assert_array_equal(read_labels(tmp_path / "a.png")[0], MASK * 255)


def test_a_data_set_of_fiji_trains_on_the_objects(tmp_path: Path) -> None:
    for number in range(2):
        (tmp_path / "images").mkdir(exist_ok=True)
        Image.fromarray(MASK + np.uint8(number)).save(tmp_path / "images" / f"{number}.png")
        save(tmp_path / "labels" / f"{number}.png", MASK * 255, FALLING)
    (sample,) = Folder(str(tmp_path)).split("train")
    assert sample.labels is not None
    assert_array_equal(sample.labels > 0, MASK > 0)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("palette", [[0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255], FALLING])
def test_indices_are_turned_as_pillow_shows_them(
    tmp_path: Path, palette: list[int], orientation: int
) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    path = save(tmp_path / "a.png", THREE, palette, exif=exif)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(path)))
    assert_array_equal(read_labels(path)[0], expected)
