"""Which results count as done: those that exist, of the same images and settings."""

import itertools
import os
import time
from pathlib import Path

import pytest

from unet_exp.prediction import manifest as manifests
from unet_exp.prediction.manifest import Manifest

ONE, OTHER = {"tta": "none"}, {"tta": "dihedral"}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An image, and its results, entered under the settings ``ONE``."""
    monkeypatch.chdir(tmp_path)
    for name in ("scans/a.tif", "out/a.tif"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(name)
    path = Path("out/predict.json")
    manifest = Manifest(path, ONE, overwrite=True)
    manifest.add([Path("out/a.tif")], [Path("scans/a.tif")])
    manifest.write()
    return path


def done(manifest: Manifest, image: str = "scans/a.tif") -> bool:
    return manifest.is_done([Path("out/a.tif")], [Path(image)])


def test_results_count_until_the_image_changes(place: Path) -> None:
    assert done(Manifest(place, ONE, overwrite=False))
    assert not done(Manifest(place, ONE, overwrite=True))
    os.utime("scans/a.tif", ns=(0, 0))  # older than its results, but another file
    assert not done(Manifest(place, ONE, overwrite=False))


def test_missing_results_do_not_count(place: Path) -> None:
    Path("out/a.tif").unlink()
    assert not done(Manifest(place, ONE, overwrite=False))


def test_images_may_move(place: Path) -> None:
    Path("scans").rename("moved")
    assert done(Manifest(place, ONE, overwrite=False), "moved/a.tif")


def test_other_settings_are_refused_or_their_results_ignored(place: Path) -> None:
    with pytest.raises(ValueError, match=r"out holds results of other settings: tta=none \(now"):
        Manifest(place, OTHER, overwrite=False)
    assert Manifest(place, OTHER, overwrite=True).results == {}


def test_other_images_are_refused(place: Path) -> None:
    Path("b.tif").write_text("another")
    with pytest.raises(ValueError, match=r"a.tif was made from .*scans/a.tif, not from .*b.tif"):
        done(Manifest(place, ONE, overwrite=False), "b.tif")
    assert not done(Manifest(place, ONE, overwrite=True), "b.tif")


@pytest.mark.parametrize("content", ["", "[]", '{"settings": {}}', '{"settings": 1, "results": 2}'])
def test_a_damaged_manifest_is_named(place: Path, content: str) -> None:
    place.write_text(content)
    with pytest.raises(ValueError, match=r"predict.json cannot be read, .* overwrite=true"):
        Manifest(place, ONE, overwrite=False)
    assert Manifest(place, ONE, overwrite=True).results == {}


def test_results_without_a_manifest_are_refused(place: Path) -> None:
    place.unlink()
    with pytest.raises(ValueError, match=r"out/a.tif exists already, and no predict.json"):
        done(Manifest(place, ONE, overwrite=False))


def test_many_results_are_not_written_one_by_one(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Path] = []
    monkeypatch.setattr(manifests, "write_atomically", lambda path, _: written.append(path))
    clock = itertools.count()  # a second passes at each look
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    manifest = Manifest(place, ONE, overwrite=False)
    for number in range(22):
        manifest.add([Path(f"out/{number}.tif")], [Path("scans/a.tif")])
    assert len(written) == 2


def test_results_that_are_replaced_are_forgotten(place: Path) -> None:
    manifest = Manifest(place, ONE, overwrite=False)
    manifest.forget([Path("out/a.tif"), Path("out/b.tif")])
    manifest.write()
    assert Manifest(place, ONE, overwrite=False).results == {}
