"""A folder of unusual and damaged files: each one is tried, and each failure is named."""

import os
from pathlib import Path

import numpy as np
import pytest
import tifffile

from tests.images.test_limits import png_of, zarr_of
from tests.images.test_ome import write as write_ome
from tests.running import Command

IMAGE = np.random.default_rng(0).random((40, 50)).astype(np.float32)


@pytest.fixture
def network(trained: Path) -> str:
    return f"checkpoint={trained / 'checkpoints' / 'best.ckpt'}"


def result(name: str, kind: str = "probabilities", folder: str = "out") -> np.ndarray:
    return tifffile.imread(Path(folder) / f"{name}_{kind}.tif")


def test_one_damaged_file_does_not_end_the_others(command: Command, network: str) -> None:
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


def test_pixels_without_data_are_background(command: Command, network: str) -> None:
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


def test_entries_that_are_no_files_are_named_and_left_out(command: Command, network: str) -> None:
    scans = Path("scans")
    scans.mkdir()
    tifffile.imwrite(scans / "a.tif", IMAGE)
    (scans / "b.tif").symlink_to("nowhere.tif")
    (scans / "c.tif").symlink_to("c.tif")
    (scans / "d.png").mkdir()
    (scans / "e.zarr").mkdir()
    os.mkfifo(scans / "f.tif")
    done = command("predict", network, "input=scans", "output=out")
    assert done.code == 1
    assert "5 of 6 files were left out: b.tif, c.tif, d.png, e.zarr, f.tif" in done.err
    assert result("a", "instances").shape == IMAGE.shape
    for name in ("b.tif", "c.tif", "d.png", "e.zarr", "f.tif"):
        assert done.out.count(f"scans/{name}") == 1


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("nodata=abc", "nodata=abc is not a number"),
        ("nodata=[1,x]", "is not a number"),
        ("min_is_white=yes", "dataset.min_is_white=yes is unknown"),
        ("+dataset.normalization=log", "dataset.normalization=log is unknown"),
    ],
)
def test_a_wrong_option_is_refused_once_and_nothing_is_written(
    command: Command, network: str, word: str, expected: str
) -> None:
    for name in ("a", "b"):
        tifffile.imwrite(f"{name}.tif", IMAGE)
    done = command("predict", network, "input=[a.tif,b.tif]", "output=out", word)
    assert done.code == 1
    assert (done.out + done.err).count(expected) == 1
    assert "left out" not in done.out + done.err
    assert not Path("out").exists()


def test_pixels_that_a_file_declares_as_no_data_are_background(
    command: Command, network: str
) -> None:
    image = IMAGE.copy()
    image[10:20, 5:25] = -9999
    tifffile.imwrite("a.tif", image, metadata=None, extratags=[(42113, "s", 0, "-9999", True)])
    done = command("predict", network, "input=a.tif", "output=out")
    assert done.code == 0, done.out + done.err
    assert "GDAL_NODATA" in done.out
    assert (result("a")[10:20, 5:25] == 0).all()
    tifffile.imwrite("b.tif", image)
    done = command("predict", network, "input=b.tif", "output=out")
    assert done.code == 1
    assert "b.tif has 200 values of 2000 that are -9999.0" in done.out
    done = command("predict", network, "input=b.tif", "output=none", "nodata=[]")
    assert done.code == 0, done.out + done.err


def test_every_page_is_segmented_however_it_is_stored(command: Command, network: str) -> None:
    with tifffile.TiffWriter("a.tif") as file:
        for number in range(5):
            compression = "zlib" if number == 2 else None
            page = np.roll(IMAGE, 5 * number, axis=1)
            file.write(page, metadata=None, contiguous=False, compression=compression)
    for number in range(5):
        tifffile.imwrite(f"{number}.tif", np.roll(IMAGE, 5 * number, axis=1))
    names = ",".join(f"{number}.tif" for number in range(5))
    done = command("predict", network, f"input=[a.tif,{names}]", "output=out")
    assert done.code == 0, done.out + done.err
    found = result("a")
    assert found.shape == (5, *IMAGE.shape)
    for number in range(5):
        np.testing.assert_allclose(found[number], result(str(number)), atol=1e-5)
