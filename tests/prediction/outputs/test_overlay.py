"""Overlays as Pillow reads them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.prediction.outputs.drawings import segmented

from unet_exp.prediction.outputs import overlay
from unet_exp.prediction.outputs.overlay import Overlay

LABELS = np.zeros((40, 60), np.uint32)
LABELS[10:20, 10:20], LABELS[25:35, 30:50] = 1, 2


def test_objects_are_coloured_and_the_rest_is_grey(tmp_path: Path) -> None:
    Overlay().write(tmp_path / "a_overlay.png", segmented(LABELS))
    picture = np.asarray(Image.open(tmp_path / "a_overlay.png")).astype(int)
    assert picture.shape == (40, 60, 3)
    is_grey = (picture == picture[..., :1]).all(axis=-1)
    assert is_grey[LABELS == 0].all()
    inside = np.zeros(LABELS.shape, bool)
    inside[11:19, 11:19] = inside[26:34, 31:49] = True
    assert not is_grey[inside].any()
    assert (picture[15, 15] != picture[30, 40]).any()


def test_a_stack_has_a_picture_for_each_page(tmp_path: Path) -> None:
    for pages, names in (
        ([LABELS, LABELS * 0, LABELS], ["a_overlay.png", "a_overlay_001.png", "a_overlay_002.png"]),
        ([LABELS, LABELS], ["a_overlay.png", "a_overlay_001.png"]),
    ):
        Overlay().write(tmp_path / "a_overlay.png", segmented(*pages))
        assert sorted(path.name for path in tmp_path.iterdir()) == names


def test_large_images_are_shrunk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlay, "LONGEST", 25)
    monkeypatch.setattr(overlay, "ROWS", 4)
    Overlay().write(tmp_path / "a_overlay.png", segmented(LABELS))
    picture = np.asarray(Image.open(tmp_path / "a_overlay.png")).astype(int)
    assert picture.shape == (14, 20, 3)
    coloured = (picture != picture[..., :1]).any(axis=-1)
    assert coloured[5, 5]
    assert not coloured[LABELS[::3, ::3] == 0].any()
