"""Images that are given as files, folders and globs."""

import os
from pathlib import Path

import numpy as np
import pytest
import zarr
from omegaconf import OmegaConf

from unet_exp.runs.given_images import find_images, require_separate


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a10.tif", "a9.tif", ".hidden.tif", "notes.txt", "deep/b.png"):
        path = Path("scans", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    zarr.create_array("scans/c.zarr", data=np.zeros((4, 4)))
    group = zarr.create_group("exp.zarr", zarr_format=2)
    for name in ("pos0", "pos1"):
        image = group.create_group(name)
        image.create_array("0", data=np.zeros((4, 4)))
        image.attrs["multiscales"] = [{"datasets": [{"path": "0"}]}]


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("scans", ["scans/a9.tif", "scans/a10.tif", "scans/c.zarr"]),
        ("scans/a9.tif", ["scans/a9.tif"]),
        ("scans/*.tif", ["scans/a9.tif", "scans/a10.tif"]),
        ("scans/**/*.png", ["scans/deep/b.png"]),
        ("scans/*", ["scans/a9.tif", "scans/a10.tif", "scans/c.zarr", "scans/notes.txt"]),
        ("scans/c.zarr", ["scans/c.zarr"]),
        ("exp.zarr/pos*", ["exp.zarr/pos0", "exp.zarr/pos1"]),
        (["scans/a10.tif", "scans", "./scans/a9.tif"],
         ["scans/a10.tif", "scans/a9.tif", "scans/c.zarr"]),
    ],
)  # fmt: skip
def test_images_in_their_order_each_once(source: str | list[str], names: list[str]) -> None:
    given = OmegaConf.create(source) if isinstance(source, list) else source
    assert [str(path) for path in find_images(given)] == names


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("none", "No image at none"),
        ("scans/deep/*.tif", "quoted glob"),
        ([], "names no image"),
    ],
)
def test_the_error_names_the_folder_without_images(source: str | list[str], told: str) -> None:
    given = OmegaConf.create(source) if isinstance(source, list) else source
    with pytest.raises(FileNotFoundError, match=told):
        find_images(given)


@pytest.mark.parametrize(
    ("source", "output", "told"),
    [
        ("scans", "scans", "holds the images themselves"),
        ("scans", "scans/out", "lies inside input=scans"),
        ("scans/**/*.png", "scans/out", "lies inside input=scans"),
    ],
)
def test_results_may_not_lie_among_images(source: str, output: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        require_separate(source, find_images(source), Path(output))


def test_results_may_lie_beside_images() -> None:
    require_separate("scans/*.tif", find_images("scans/*.tif"), Path("scans/out"))
    require_separate("scans", find_images("scans"), Path("out"))


def test_false_images_with_image_names_are_found_so_that_they_are_reported() -> None:
    Path("scans/d.tif").symlink_to("nowhere.tif")
    Path("scans/e.tif").symlink_to("e.tif")
    Path("scans/f.png").mkdir()
    Path("scans/g.zarr").mkdir()
    os.mkfifo("scans/h.npy")
    names = ["a9.tif", "a10.tif", "c.zarr", "d.tif", "e.tif", "f.png", "g.zarr", "h.npy"]
    assert [path.name for path in find_images("scans")] == names
    require_separate("scans", find_images("scans"), Path("out"))
