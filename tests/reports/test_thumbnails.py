import base64
import struct
from pathlib import Path

import cv2
import numpy as np

from unet_exp.records.sweep import read_sweep
from unet_exp.reports.thumbnails import embedded, last_of_each, png_pixels


def test_the_last_picture_of_each_image(tmp_path: Path) -> None:
    names = ["a_step_000010", "a_step_000200", "learning_curves", "b_step_000010"]
    paths = [tmp_path / f"{name}.png" for name in names]
    for path in paths:
        path.touch()
    gone = tmp_path / "c_step_000010.png"
    found = last_of_each([*paths, gone])
    assert {name: path.stem for name, path in found.items()} == {
        "a": "a_step_000200",
        "b": "b_step_000010",
    }
    assert list(last_of_each(paths, most=1)) == ["a"]


def test_a_picture_is_scaled_down_and_keeps_its_colour(drawn: Path) -> None:
    (path,) = last_of_each(read_sweep(drawn).jobs[0].pictures).values()
    found = embedded(path, modified=0, width=400)
    assert found is not None
    kind, _, text = found[0].partition(",")
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(text), np.uint8), cv2.IMREAD_COLOR)
    assert kind == "data:image/webp;base64"
    assert picture is not None
    assert picture.shape == (2, 400, 3)  # of 8 x 1600
    assert abs(float(picture.mean()) - 127) < 2


def test_a_picture_that_is_too_long_for_the_page_is_left_out(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "long.png"), np.zeros((20_000, 10, 3), np.uint8))
    assert embedded(tmp_path / "long.png", modified=0) is None


def test_files_that_are_no_pictures_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "half.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n")
    assert embedded(path, modified=0) is None


def test_a_picture_that_declares_more_than_it_can_have_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    sides = struct.pack(">II", 100_000, 100_000)
    path.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR" + sides + b"\x08\x02\x00\x00\x00")
    assert png_pixels(path) == 10**10
    assert embedded(path, modified=0) is None
