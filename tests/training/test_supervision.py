from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unet_exp.datasets.sample import Sample
from unet_exp.targets import foreground
from unet_exp.targets.foreground import Foreground
from unet_exp.training.supervision import LabelledImages, Supervision
from unet_exp.weight_maps.border import BorderWeightMap

LABELS = np.zeros((20, 30), np.int32)
LABELS[2:12, 3:13], LABELS[2:12, 13:23], LABELS[15:, :] = 1, 2, -1
IMAGE = np.random.default_rng(0).random((1, 20, 30), np.float32)
SAMPLE = Sample("cells", IMAGE, LABELS)


def test_separation_runs_once_for_each_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Any] = []
    separate = foreground.separate
    monkeypatch.setattr(foreground, "separate", lambda *x: calls.append(x) or separate(*x))
    Supervision(Foreground(), BorderWeightMap(), tmp_path)(SAMPLE)
    assert len(calls) == 1


def test_the_weight_map_sees_the_border_of_the_target(tmp_path: Path) -> None:
    found = Supervision(Foreground(), BorderWeightMap(class_balance=False), tmp_path)(SAMPLE)
    assert (found.target[2:12, 12:14] == 0).all()
    assert (found.weights[2:12, 12:14] > 5).all()
    assert (found.weights[15:] == 0).all()
    assert (found.classes[15:] == 255).all()


def test_targets_with_other_borders_have_other_weights_in_the_cache(tmp_path: Path) -> None:
    apart, touching = (
        Supervision(Foreground(separation=separation), BorderWeightMap(), tmp_path)(SAMPLE).weights
        for separation in (True, False)
    )
    assert (apart != touching).any()
    assert len(list(tmp_path.glob("*.npy"))) == 2


def test_whole_images_come_with_markers_or_labels_in_their_place(tmp_path: Path) -> None:
    markers = np.zeros((20, 30), np.int32)
    markers[3, 4] = 9
    supervise = Supervision(Foreground(), BorderWeightMap(), tmp_path)
    marked = Sample("marked", IMAGE, LABELS, markers=markers)
    whole = LabelledImages([supervise(SAMPLE), supervise(marked)], 3)
    first, second, third = (whole[index] for index in range(3))
    assert first["markers"].equal(first["labels"])
    assert second["markers"].nonzero().tolist() == [[3, 4]]
    assert second["labels"].equal(first["labels"])
    assert first["classes"].unique().tolist() == [-1, 0, 1]
    assert first["classes"].equal(first["target"])
    assert third == {}


def test_an_image_without_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="bare has no labels"):
        Supervision(Foreground(), BorderWeightMap(), tmp_path)(Sample("bare", IMAGE))
