"""A folder of files that nobody made for this project: each is tried, and each failure is named."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from tests.datasets.test_limits import png_of, zarr_of
from tests.datasets.test_ome import write as write_ome
from tests.running import Command

IMAGE = np.random.default_rng(0).random((40, 50)).astype(np.float32)


@pytest.fixture
def network(trained: Path) -> str:
    return f"checkpoint={trained / 'checkpoints' / 'best.ckpt'}"


def result(name: str, kind: str = "probabilities", folder: str = "out") -> np.ndarray:
    return tifffile.imread(Path(folder) / f"{name}_{kind}.tif")


def test_one_file_never_ends_the_rest(command: Command, network: str) -> None:
    scans = Path("scans")
    scans.mkdir()
    tifffile.imwrite(scans / "a_large.tif", IMAGE.astype(np.float64) * 2.0**996)
    hole = np.where(IMAGE > 0.99, np.finfo(np.float64).max, IMAGE.astype(np.float64))
    tifffile.imwrite(scans / "b_hole.tif", hole)
    write_ome(
        scans / "c_planes.ome.tif", np.zeros((8, 9), np.uint8),
        f'SizeZ="{2**20}" SizeC="1" SizeT="{2**20}"', "<TiffData/>",
    )  # fmt: skip
    zarr_of(scans / "d_wide.zarr", [2**30, 2**30], [1024, 1024])
    png_of(scans / "e_wide.png", 2**31 - 1, 2**31 - 1, 8, 0)
    (scans / "f_half.zarr").mkdir()
    (scans / "f_half.zarr" / ".zarray").write_text("{")
    tifffile.imwrite(scans / ("g" * 240 + ".tif"), IMAGE)
    for ending in ("png", "tif"):
        (scans / f"h_twin.{ending}").touch()
    unit = "ImageJ=1.54f\nimages=1\nunit=µm\n".encode("latin-1")
    tifffile.imwrite(scans / "z_last.tif", IMAGE, metadata=None, description=unit)
    done = command("predict", network, "input=scans", "output=out")
    assert done.code == 1
    named = (
        "b_hole.tif",
        "c_planes.ome.tif",
        "d_wide.zarr",
        "e_wide.png",
        "f_half.zarr",
        "g" * 240,
    )
    for name in (*named, "h_twin.png", "h_twin.tif"):
        assert name in done.out
        assert name in done.err
    assert "8 of 10 files were left out" in done.err
    assert "batch_size" not in done.out + done.err
    assert sorted(p.name for p in Path("out").glob("*_instances.*")) == [
        "a_large_instances.tif",
        "z_last_instances.tif",
    ]
    # A factor that is a power of two changes no bit of what the network sees.
    np.testing.assert_allclose(result("a_large"), result("z_last"), atol=1e-4)


def test_where_there_are_no_data_is_background(command: Command, network: str) -> None:
    Path("scans").mkdir()
    for value in (np.nan, -9999):
        image = IMAGE.copy()
        image[10:20, 5:25] = value
        tifffile.imwrite("scans/a.tif", image)
        words = (f"nodata={value}", "+postprocessing.threshold=0.0", "overwrite=true")
        done = command("predict", network, "input=scans/a.tif", "output=out", *words)
        assert done.code == 0, done.out + done.err
        probabilities, instances = result("a"), result("a", "instances")
        assert np.isfinite(probabilities).all()
        assert (probabilities[10:20, 5:25] == 0).all()
        assert (instances[10:20, 5:25] == 0).all()
        assert instances.max() == 1  # at this threshold, all the rest
        assert probabilities[0, 0] > 0
    done = command("predict", network, "input=scans/a.tif", "output=out", "nodata=7")
    assert "holds results of other settings: nodata=-9999 (now 7)" in done.err


def test_each_file_of_a_set_gives_its_own_frame(command: Command, network: str) -> None:
    Path("scans").mkdir()
    blocks = "".join(
        f'<TiffData FirstT="{t}" IFD="0" PlaneCount="1"><UUID FileName="t{t}.ome.tif">{t}</UUID>'
        "</TiffData>"
        for t in range(3)
    )
    for t in range(3):
        page = (IMAGE * 255).astype(np.uint8)[t : t + 8, t : t + 9]
        sizes = 'SizeZ="1" SizeC="1" SizeT="3"'
        write_ome(Path(f"scans/t{t}.ome.tif"), page, sizes, blocks, f'UUID="{t}"')
    (Path("scans") / "t1.ome.tif").unlink()
    done = command("predict", network, "input=scans", "output=out")
    assert done.code == 0, done.out + done.err
    for t in (0, 2):
        found = tifffile.imread(f"out/t{t}_instances.ome.tif")
        assert found.shape == (8, 9)


def test_an_image_is_segmented_as_it_is_shown(command: Command, network: str) -> None:
    Path("scans").mkdir()
    image = (IMAGE * 255).astype(np.uint8)
    tifffile.imwrite("scans/plain.tif", image)
    tifffile.imwrite("scans/white.tif", 255 - image, photometric="miniswhite")
    turned = np.ascontiguousarray(np.rot90(image))  # orientation 6 turns it back, clockwise
    tifffile.imwrite("scans/turned.tif", turned, extratags=[(274, 3, 1, 6, True)])
    done = command("predict", network, "input=scans", "output=out")
    assert done.code == 0, done.out + done.err
    for name in ("white", "turned"):
        np.testing.assert_array_equal(result(name), result("plain"))
    kept = ("input=scans/white.tif", "output=kept", "min_is_white=keep")
    assert command("predict", network, *kept).code == 0
    assert np.abs(result("white", folder="kept") - result("plain")).max() > 1e-3


def test_a_file_that_may_not_be_read_is_named(command: Command, network: str) -> None:
    Path("scans").mkdir()
    tifffile.imwrite("scans/a.tif", IMAGE)
    Path("scans/link.tif").symlink_to("nowhere.tif")
    done = command("predict", network, "input=scans/*.tif", "output=out")
    assert done.code == 1
    assert "1 of 2 files were left out: link.tif" in done.err
    assert "No such file" in done.out
    assert result("a").shape == IMAGE.shape
