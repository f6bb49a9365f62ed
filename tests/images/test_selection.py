"""Which series, axes and channels of a file are read."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr
from numpy.testing import assert_array_equal
from PIL import Image

from unet_exp.images.image_file import open_image
from unet_exp.images.selection import Selection

RANDOM = np.random.default_rng(0)
COLOURS = RANDOM.integers(0, 256, (20, 30, 3), np.uint8)


def read(path: Path, expected: int | None = None, **options: object) -> np.ndarray:
    with open_image(path, expected, selection=Selection.parse(options)) as file:
        return file.stack()


def test_channels_are_chosen_in_the_order_given(tmp_path: Path) -> None:
    planes = RANDOM.integers(0, 9999, (4, 20, 30), np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", planes, metadata={"axes": "CYX"}, photometric="minisblack")
    assert_array_equal(read(tmp_path / "a.tif", channels=[2, 0])[0], planes[[2, 0]])
    assert_array_equal(read(tmp_path / "a.tif", channels=3)[0], planes[[3]])
    with open_image(tmp_path / "a.tif", selection=Selection(channels=(3, 1))) as file:
        assert_array_equal(file.pages[0][1:2, 4:9, 5:7], planes[[1], 4:9, 5:7])


def test_colours_become_grey_as_in_scikit_image(tmp_path: Path) -> None:
    rgb2gray = pytest.importorskip("skimage.color").rgb2gray
    Image.fromarray(COLOURS).save(tmp_path / "a.png")
    grey = read(tmp_path / "a.png", channels="luminance")
    assert grey.dtype == np.uint8
    assert_array_equal(grey, np.rint(rgb2gray(COLOURS) * 255)[None, None])


@pytest.mark.parametrize("kind", ["L", "LA", "RGB", "RGBA"])
def test_any_picture_is_read_as_colours_or_grey(tmp_path: Path, kind: str) -> None:
    grey = COLOURS[..., :1]
    alpha = np.full((20, 30, 1), 7, np.uint8)
    base = grey if kind.startswith("L") else COLOURS
    pixels = np.concatenate([base, alpha], 2) if kind.endswith("A") else base
    Image.fromarray(pixels.squeeze()).save(tmp_path / "a.png")
    colours = read(tmp_path / "a.png", channels="rgb")[0]
    assert_array_equal(colours, np.broadcast_to(base, (20, 30, 3)).transpose(2, 0, 1))
    assert read(tmp_path / "a.png", channels="luminance").shape == (1, 1, 20, 30)


def test_axes_are_named_for_files_that_do_not(tmp_path: Path) -> None:
    array = RANDOM.integers(0, 99, (3, 20, 30, 2), np.uint8)
    np.save(tmp_path / "a.npy", array)
    zarr.save_array(tmp_path / "a.zarr", array)
    for name in ("a.npy", "a.zarr"):
        assert_array_equal(read(tmp_path / name, axes="zyxc"), array.transpose(0, 3, 1, 2))
    with open_image(tmp_path / "a.npy", selection=Selection(axes="ZYXC")) as file:
        assert (file.axes, file.shape) == ("Z", (3,))
    np.save(tmp_path / "plane.npy", array[0, ..., 0])  # its axes are clear
    assert read(tmp_path / "plane.npy", axes="ZYXC").shape == (1, 1, 20, 30)
    options = {"photometric": "minisblack", "metadata": {"axes": "TYX"}}
    tifffile.imwrite(tmp_path / "t.tif", array[..., 0], **options)
    with open_image(tmp_path / "t.tif", selection=Selection(axes="ZYX")) as file:
        assert file.axes == "T"  # as the file says


def test_series_of_a_tiff_and_of_a_zarr_group(tmp_path: Path) -> None:
    large, small = COLOURS[..., 0], COLOURS[:9, :8, 1]
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(large, photometric="minisblack")
        file.write(small, photometric="minisblack")
    group = zarr.create_group(tmp_path / "a.zarr", zarr_format=2)
    for name, array in (("0", large), ("1", small)):
        inner = group.create_group(name)
        inner.create_array("0", data=array)
        inner.attrs["multiscales"] = [{"axes": ["y", "x"], "datasets": [{"path": "0"}]}]
    for name in ("a.tif", "a.zarr"):
        assert_array_equal(read(tmp_path / name)[0, 0], large)
        assert_array_equal(read(tmp_path / name, series=1)[0, 0], small)
        with pytest.raises(ValueError, match=r"is refused: series=2 is not in it: it holds 2"):
            read(tmp_path / name, series=2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"channels": [0, 3]},
            r"a\.tif is refused: channels=\[0, 3\] names channel 3",
        ),
        ({"channels": "rgb"}, r"channels=rgb is for colours, and its 3 channels are not"),
        ({"series": 1}, r"series=1 is not in it: it holds 1, numbered from 0"),
        ({"channels": "red"}, r"^channels=red names no channels"),
        ({"channels": []}, r"^channels=\[\] names no channels"),
        ({"channels": [-1]}, r"^channels=\[-1\] names no channels"),
        ({"series": "first"}, r"^series=first is no number"),
        ({"axes": "ZC"}, r"^axes=ZC does not name axes"),
    ],
)
def test_wrong_selections_are_named(
    tmp_path: Path, options: dict[str, object], message: str
) -> None:
    planes = COLOURS.transpose(2, 0, 1)
    tifffile.imwrite(tmp_path / "a.tif", planes, metadata={"axes": "CYX"}, photometric="minisblack")
    with pytest.raises(ValueError, match=message):
        read(tmp_path / "a.tif", **options)


def test_too_many_names_of_axes_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((4, 20, 30)))
    with pytest.raises(ValueError, match=r"axes=TZYX names 4 axes, and it has 3"):
        read(tmp_path / "a.npy", axes="TZYX")
