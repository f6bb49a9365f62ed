"""Which images are still to do, also if names clash or files are missing."""

from pathlib import Path

import pytest
import tifffile

from unet_exp.prediction.manifest import Manifest
from unet_exp.prediction.outputs.choices import chosen_outputs
from unet_exp.prediction.pending import find_pending
from unet_exp.prediction.result_files import PerImageWriter


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("scans").mkdir()
    Path("out").mkdir()
    return tmp_path


def images(*names: str) -> list[Path]:
    paths = [Path("scans", name) for name in names]
    for path in paths:
        tifffile.imwrite(path, [[1]])
    return paths


def found(
    paths: list[Path], results: PerImageWriter, existed: bool = False
) -> tuple[list[str], dict]:
    manifest = Manifest(Path("out/predict.json"), {}, overwrite=False)
    manifest.existed = existed
    pending, refused = find_pending(paths, results, manifest)
    return [path.name for path in pending], {path.name: why for path, why in refused.items()}


def test_images_with_one_name_for_their_results_leave_the_others(folder: Path) -> None:
    paths = images("a.tif", "twin.png", "twin.tif", "b.tif")
    pending, refused = found(paths, PerImageWriter(Path("out"), chosen_outputs()))
    assert pending == ["a.tif", "b.tif"]
    assert list(refused) == ["twin.png", "twin.tif"]
    assert "twin.png and scans/twin.tif would both be written to" in refused["twin.tif"]


@pytest.mark.parametrize("letter", ["x", "é", "日", "😀"])
def test_a_name_that_is_too_long_for_its_results_leaves_the_others(
    folder: Path, letter: str
) -> None:
    long = letter * ((251 - 4) // len(letter.encode())) + ".tif"
    paths = images(long, "a.tif")
    pending, refused = found(paths, PerImageWriter(Path("out"), chosen_outputs()))
    assert pending == ["a.tif"]
    assert "longer than 255 bytes" in refused[long]


def test_results_that_are_folders_or_of_nobody_leave_the_others(folder: Path) -> None:
    paths = images("a.tif", "b.tif", "c.tif")
    Path("out/a_instances.tif").mkdir()
    Path("out/b_instances.tif").touch()
    pending, refused = found(paths, PerImageWriter(Path("out"), chosen_outputs(["instances"])))
    assert pending == ["c.tif"]
    assert "out/a_instances.tif exists already and is no file" in refused["a.tif"]
    assert "no predict.json beside it" in refused["b.tif"]


def test_where_no_image_is_left_the_first_reason_is_the_error(folder: Path) -> None:
    Path("out/a_instances.tif").mkdir()
    results = PerImageWriter(Path("out"), chosen_outputs(["instances"]))
    with pytest.raises(ValueError, match=r"out/a_instances\.tif exists already"):
        found(images("a.tif"), results)
