"""The widget segments the selected layer. Its sliders act without the network."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
pytest.importorskip("napari", reason="napari is not installed: pip install 'unet-exp[napari]'")
pytest.importorskip("pytestqt", reason="pytest-qt is not installed")

import unet_exp
from unet_exp.inference.predictor import Predictor

pytestmark = pytest.mark.filterwarnings("default")  # those of napari are not ours


@pytest.fixture
def viewer(qapp: Any) -> Any:
    """Return a viewer without its canvas, which needs OpenGL."""
    from napari.components import ViewerModel

    return ViewerModel()


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 4000, (70, 90)).astype(np.uint16)


def opened(viewer: Any, checkpoint: Path) -> Any:
    from unet_exp.napari_plugin.segment_widget import SegmentWidget

    widget = SegmentWidget(viewer)
    widget.image.choices = tuple(viewer.layers)
    widget.checkpoint.value = checkpoint
    return widget


def segmented(qtbot: Any, widget: Any) -> Any:
    widget.start()
    qtbot.waitUntil(lambda: widget.worker is None, timeout=60_000)
    return widget.result


def test_a_layer_is_segmented_and_tuned(
    viewer: Any, qtbot: Any, trained: Path, image: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer.add_image(image, name="cells", scale=(0.5, 0.5))
    widget = opened(viewer, trained)
    labels = segmented(qtbot, widget)
    segmenter = unet_exp.load(trained)
    assert widget.labels  # magicgui's: each row has its name
    assert labels in viewer.layers
    assert labels.name == "cells instances"
    assert tuple(labels.scale) == (0.5, 0.5)
    assert np.array_equal(labels.data, segmenter.segment(image))

    def fail(*_: Any, **__: Any) -> None:
        raise AssertionError("The network ran again.")

    monkeypatch.setattr(Predictor, "evidence", fail)
    found = widget.outcome.found
    widget.sliders["threshold"].value = 0.3
    widget.sliders["min_size"].value = 4
    qtbot.waitUntil(lambda: widget.tuner is None, timeout=60_000)
    expected = widget.outcome.segmenter.instances(found, **values_of(widget))
    assert np.array_equal(labels.data, expected)
    assert not np.array_equal(expected, found.instances)
    assert "postprocessing.threshold=0.3" in widget.words.value


def values_of(widget: Any) -> dict[str, Any]:
    from unet_exp.napari_plugin.sliders import values

    return values(widget.sliders)


def test_a_stack_is_segmented_page_by_page(
    viewer: Any, qtbot: Any, trained: Path, image: np.ndarray
) -> None:
    stack = np.stack([image, image[::-1], image[:, ::-1]])
    viewer.add_image(stack, name="stack")
    labels = segmented(qtbot, opened(viewer, trained))
    assert np.array_equal(labels.data, unet_exp.load(trained).segment(stack, axes="TYX"))


def test_an_error_is_shown_and_leaves_no_layer(
    viewer: Any, qtbot: Any, trained: Path, image: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    from unet_exp.napari_plugin import segment_widget

    told: list[str] = []
    monkeypatch.setattr(segment_widget, "show_error", told.append)
    viewer.add_image(np.stack([image] * 3, -1).astype(np.uint8), rgb=True)
    widget = opened(viewer, trained)
    assert segmented(qtbot, widget) is None
    assert len(told) == 1
    assert "channels" in told[0]
    assert len(viewer.layers) == 1
    assert widget.run.enabled


def test_without_image_or_checkpoint_the_error_names_what_is_missing(
    viewer: Any, image: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    from unet_exp.napari_plugin import segment_widget

    told: list[str] = []
    monkeypatch.setattr(segment_widget, "show_error", told.append)
    widget = segment_widget.SegmentWidget(viewer)
    widget.start()
    viewer.add_image(image)
    widget.image.choices = tuple(viewer.layers)
    widget.start()
    assert [text.split(".")[0] for text in told] == [
        "There is no image layer",
        "No checkpoint is chosen",
    ]


def test_npe2_accepts_the_manifest() -> None:
    from npe2 import PluginManifest

    import unet_exp.napari_plugin

    file = Path(unet_exp.napari_plugin.__file__).parent / "napari.yaml"
    PluginManifest.from_file(file).validate_imports()
