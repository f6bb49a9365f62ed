"""CZI files as Zeiss's own library writes them."""

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from unet_exp.images import extra
from unet_exp.images.image_file import open_image
from unet_exp.images.selection import Selection

pyczi = pytest.importorskip("pylibCZIrw.czi")
#: Scenes, times, channels, rows, columns.
PIXELS = np.random.default_rng(0).integers(0, 60_000, (2, 3, 2, 20, 30), np.uint16)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with pyczi.create_czi(str(tmp_path / "a.czi")) as file:
        for scene, time, channel in np.ndindex(PIXELS.shape[:3]):
            pixels = PIXELS[scene, time, channel, ..., None]
            place = {"T": time, "C": channel, "Z": 0}
            file.write(pixels, (scene * 100, 7), place, scene=scene)
        file.write_metadata("a", scale_x=0.5e-6, scale_y=0.25e-6)
    return tmp_path / "a.czi"


def test_scenes_times_channels_and_scale(path: Path) -> None:
    for scene in (None, 0, 1):
        with open_image(path, selection=Selection(series=scene)) as file:
            assert_array_equal(file.stack(), PIXELS[scene or 0])
            assert (file.axes, file.shape) == ("T", (3,))
            assert file.tags.steps()["x"] == (0.5, "micrometer")
            assert file.tags.steps()["y"] == (0.25, "micrometer")
            part = file.pages[2][1:2, 3:9, 4:30]
            assert_array_equal(part, PIXELS[scene or 0, 2, 1:2, 3:9, 4:])


def test_colours_are_red_green_blue(tmp_path: Path) -> None:
    colours = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    with pyczi.create_czi(str(tmp_path / "a.czi")) as file:
        file.write(colours[..., ::-1], plane={"T": 0, "C": 0, "Z": 0})
    with open_image(tmp_path / "a.czi", selection=Selection(channels="rgb")) as file:
        assert_array_equal(file.stack()[0], colours.transpose(2, 0, 1))


def test_a_scene_that_is_not_there_and_a_damaged_file_are_named(path: Path) -> None:
    with (
        pytest.raises(ValueError, match=r"a\.czi is refused: series=2 is not in it: it holds 2"),
        open_image(path, selection=Selection(series=2)),
    ):
        pass
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(ValueError, match=r"a\.czi cannot be read"), open_image(path):
        pass


def test_without_the_extra_it_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(extra.importlib, "import_module", missing)
    message = r"a\.czi is refused: CZI files need the package pylibCZIrw: pip install 'unet-exp\[fo"
    with pytest.raises(ValueError, match=message), open_image(path):
        pass
