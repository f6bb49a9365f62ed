from pathlib import Path

import cv2
import numpy as np
import pytest

from unet_exp.pictures.contact_sheet import centre, contact_sheet


def sample(inner: int = 20, outer: int = 36) -> dict[str, np.ndarray]:
    target = np.zeros((inner, inner), np.int64)
    target[4:12, 4:12] = 1
    target[-3:] = -1
    image = np.random.default_rng(0).random((1, outer, outer), np.float32)
    return {"image": image, "target": target, "weights": target.astype(np.float32) + 1}


def has_frame(picture: np.ndarray) -> bool:
    """Whether anything in the column of grey images has a colour."""
    images = picture[60:-30, 14:334].astype(int)
    return bool((images.max(-1) - images.min(-1) > 60).any())


def test_a_row_for_each_sample(tmp_path: Path) -> None:
    one = contact_sheet([sample()])
    three = contact_sheet([sample()] * 3, tmp_path / "sheet.png")
    row = (three.shape[0] - one.shape[0]) / 2
    assert 320 <= row <= 400
    read = cv2.imread(str(tmp_path / "sheet.png"))
    assert read is not None
    assert (read[..., ::-1] == three).all()


def test_a_frame_shows_the_part_with_a_target() -> None:
    assert has_frame(contact_sheet([sample(outer=36)]))
    assert not has_frame(contact_sheet([sample(outer=20)]))


def test_instances_take_the_place_of_the_target() -> None:
    labels = np.arange(400).reshape(20, 20) // 40
    assert (contact_sheet([{**sample(), "labels": labels}]) != contact_sheet([sample()])).any()


def test_the_middle() -> None:
    assert centre((10, 11), (4, 5)) == (slice(3, 7), slice(3, 8))
    assert centre((4, 4), (4, 4)) == (slice(0, 4), slice(0, 4))


def test_no_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="no samples to draw"):
        contact_sheet([])


def test_numbers_have_a_picture_for_each_channel() -> None:
    numbers = np.random.default_rng(0).random((2, 20, 20), np.float32)
    two = contact_sheet([{**sample(), "target": numbers}])
    one = contact_sheet([{**sample(), "target": numbers[0]}])
    classes = contact_sheet([sample()])
    assert two.shape[1] > one.shape[1] == classes.shape[1]
    assert (one != classes).any()
