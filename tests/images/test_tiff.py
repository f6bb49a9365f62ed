import logging

import numpy as np
import pytest
import tifffile
from numpy.testing import assert_array_equal
from tests.images.stored_pages import read_pages

from unet_exp.images.image_file import open_image

IMAGE = np.arange(5 * 20 * 30, dtype=np.uint16).reshape(5, 20, 30)
RGB = np.ascontiguousarray(np.moveaxis(IMAGE[:3], 0, 2))


@pytest.mark.parametrize(
    ("array", "options", "pages", "named"),
    [
        (IMAGE[0], {}, IMAGE[:1, None], True),
        (IMAGE, {"photometric": "minisblack"}, IMAGE[:, None], False),
        (IMAGE, {"photometric": "minisblack", "metadata": None}, IMAGE[:, None], False),
        (IMAGE, {"imagej": True, "metadata": {"axes": "CYX"}}, IMAGE[None], True),
        (IMAGE, {"imagej": True, "metadata": {"axes": "ZYX"}}, IMAGE[:, None], True),
        (IMAGE, {"ome": True, "metadata": {"axes": "CYX"}}, IMAGE[None], True),
        (IMAGE[:4].reshape(2, 2, 20, 30), {"imagej": True, "metadata": {"axes": "TCYX"}},
         IMAGE[:4].reshape(2, 2, 20, 30), True),
        (RGB, {"photometric": "rgb"}, IMAGE[None, :3], True),
        (IMAGE[:3], {"photometric": "rgb", "planarconfig": "separate"}, IMAGE[None, :3], True),
        (np.moveaxis(IMAGE, 0, 2), {"metadata": {"axes": "YXC"}}, IMAGE[None], True),
        (np.moveaxis(IMAGE, 0, 2), {}, IMAGE[None], True),
    ],
    ids=["grey", "stack", "bare stack", "ImageJ channels", "ImageJ depth", "OME channels",
         "channels in time", "RGB", "planar RGB", "channels last", "channels last, unnamed"],
)  # fmt: skip
def test_axes_decide_what_is_a_page_and_what_a_channel(
    tmp_path, array, options, pages, named
) -> None:
    tifffile.imwrite(tmp_path / "a.tif", array, **options)
    for in_memory in (2**27, 0):
        with open_image(tmp_path / "a.tif", in_memory=in_memory) as opened:
            for page, expected in zip(opened.pages, pages, strict=True):
                assert page.shape == expected.shape
                assert_array_equal(page[:, 3:17, 5:9], expected[:, 3:17, 5:9])
            assert set(opened.axes).isdisjoint("QI") == named


def test_opaque_alpha_is_left_out_and_other_alpha_is_kept(tmp_path) -> None:
    rgba = np.dstack([RGB, np.full((20, 30), 65535, np.uint16)])
    tifffile.imwrite(tmp_path / "a.tif", rgba, photometric="rgb", extrasamples=["unassalpha"])
    assert_array_equal(read_pages(tmp_path / "a.tif"), IMAGE[None, :3])
    rgba[0, 0, 3] = 1
    tifffile.imwrite(tmp_path / "a.tif", rgba, photometric="rgb", extrasamples=["unassalpha"])
    assert read_pages(tmp_path / "a.tif").shape == (1, 4, 20, 30)


def test_images_of_a_second_shape_are_named_in_the_log(tmp_path, caplog) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(IMAGE[0], metadata=None)
        file.write(IMAGE[0, :10], metadata=None)
    with caplog.at_level(logging.WARNING):
        assert read_pages(tmp_path / "a.tif").shape == (1, 1, 20, 30)
    assert "shape (10, 30); they are not read" in caplog.text


def test_other_complaints_of_tifffile_still_reach_the_log(caplog) -> None:
    logging.getLogger("tifffile").error("odd metadata")
    assert "odd metadata" in caplog.text
