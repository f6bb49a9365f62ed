"""The metadata of OME-Zarr results pass the checks of ome-zarr-models."""

from pathlib import Path

import numpy as np
import pytest
import zarr

from unet_exp.images.image_file import open_image
from unet_exp.images.tags import Tags
from unet_exp.prediction import zarr_results
from unet_exp.prediction.zarr_results import write_zarr

ImageAttrs = pytest.importorskip("ome_zarr_models.v04.image").ImageAttrs

PAGES = [np.random.default_rng(i).integers(0, 99, (50, 70)).astype(np.uint32) for i in range(6)]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zarr_results, "CHUNK", 16)
    monkeypatch.setattr(zarr_results, "SMALLEST", 20)


def test_an_image_with_its_resolutions_and_scale(tmp_path: Path) -> None:
    scale = {"z": (2.0, "micrometer"), "y": (0.5, "micrometer"), "x": (0.25, "micrometer")}
    tags = Tags("zarr", scale=scale)
    write_zarr(tmp_path / "a.zarr", PAGES, "uint32", "TZ", (2, 3), tags, instances=True)
    group = zarr.open_group(tmp_path / "a.zarr", mode="r")
    multiscale = ImageAttrs.model_validate(dict(group.attrs)).multiscales[0]
    assert [axis.name for axis in multiscale.axes] == ["t", "z", "y", "x"]
    assert [axis.unit for axis in multiscale.axes] == [None, *["micrometer"] * 3]
    scales = [d.coordinateTransformations[0].scale for d in multiscale.datasets]
    assert scales == [[1, 2, 0.5 * f, 0.25 * f] for f in (1, 2, 4)]
    whole = np.reshape(PAGES, (2, 3, 50, 70))
    for level, step in (("0", 1), ("1", 2), ("2", 4)):
        np.testing.assert_array_equal(group[level], whole[..., ::step, ::step])
    assert "image-label" in group.attrs


def test_channels_stand_where_the_format_wants_them(tmp_path: Path) -> None:
    pages = [np.stack(PAGES[:2]), np.stack(PAGES[2:4]), np.stack(PAGES[4:])]
    write_zarr(tmp_path / "a.zarr", pages, "float32", "Z", (3,))
    with open_image(tmp_path / "a.zarr") as opened:
        assert (opened.axes, opened.shape) == ("Z", (3,))
        for page, expected in zip(opened.pages, pages, strict=True):
            np.testing.assert_array_equal(page[:, :, :], expected)
    assert ImageAttrs.model_validate(dict(zarr.open_group(tmp_path / "a.zarr", mode="r").attrs))


def test_a_folder_is_replaced_whole(tmp_path: Path) -> None:
    for page in PAGES[:2]:
        write_zarr(tmp_path / "a.zarr", [page], "uint32")
    with open_image(tmp_path / "a.zarr") as opened:
        np.testing.assert_array_equal(opened.pages[0][:, :, :], PAGES[1][None])
    assert list(tmp_path.iterdir()) == [tmp_path / "a.zarr"]


def test_axes_that_the_format_lacks_become_one(tmp_path: Path) -> None:
    write_zarr(tmp_path / "a.zarr", PAGES, "uint32", "ZQ", (2, 3))
    with open_image(tmp_path / "a.zarr") as opened:
        assert (opened.axes, opened.shape) == ("Z", (6,))
        found = np.concatenate([page[:, :, :] for page in opened.pages])
    np.testing.assert_array_equal(found, PAGES)
