import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from unet_exp.pictures.prediction_panel import headed, prediction_panel


def scene(height: int = 40, width: int = 48) -> dict[str, np.ndarray]:
    labels = np.zeros((height, width), np.int32)
    labels[5:15, 5:20], labels[20:35, 10:30], labels[:, -4:] = 1, 2, -1
    probability = cv2.GaussianBlur((labels > 0).astype(np.float32), (0, 0), 2)
    return {
        "image": np.random.default_rng(0).random((1, height, width), np.float32),
        "labels": labels,
        "weights": 1 + 9 * (labels == 0).astype(np.float32),
        "probability": probability,
        "prediction": (probability > 0.5).astype(np.int32),
    }


def test_six_pictures_in_a_file(tmp_path: Path) -> None:
    panel = prediction_panel(**scene(), path=tmp_path / "panel.png", title="frame 3")
    read = cv2.imread(str(tmp_path / "panel.png"))
    assert read is not None
    assert read.shape == panel.shape
    height, width = panel.shape[:2]
    for row in range(2):
        for column in range(3):
            part = panel[row * height // 2 :, column * width // 3 :][: height // 2, : width // 3]
            assert (part != 255).any(-1).mean() > 0.5, f"picture {row}, {column} is empty"


def test_a_height_has_its_own_picture() -> None:
    with_height = prediction_panel(**scene(), maps={"height": scene()["probability"]})
    without = prediction_panel(**scene())
    assert with_height.shape[0] == without.shape[0]
    assert with_height.shape[1] > 1.3 * without.shape[1]
    part = with_height[with_height.shape[0] // 2 :, with_height.shape[1] // 4 :]
    assert (part[:, : part.shape[1] // 3] != 255).any(-1).mean() > 0.5


def test_without_labels_one_row_of_three() -> None:
    full, test = scene(), {**scene(), "labels": None, "weights": None}
    assert prediction_panel(**test).shape[0] < prediction_panel(**full).shape[0] * 0.6


@pytest.mark.parametrize("shape", [(3, 7, 9), (2, 500, 40), (4, 40, 500), (1, 1, 1), (1, 900, 900)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float64])
def test_any_size_channels_and_type(shape: tuple[int, int, int], dtype: type) -> None:
    size = shape[1:]
    image = (np.random.default_rng(0).random(shape) * 200).astype(dtype)
    panel = prediction_panel(
        image, np.zeros(size, int), None, np.zeros(size, np.float16), np.ones(size, np.int64)
    )
    assert max(panel.shape) < 2000


def test_nothing_found_nothing_true_nan_weights() -> None:
    empty = {key: np.zeros_like(value) for key, value in scene().items()}
    assert prediction_panel(**empty).any()
    unknown = {**empty, "labels": empty["labels"] - 1, "weights": empty["weights"] * np.nan}
    assert prediction_panel(**unknown).any()


def test_by_class_colours_other_classes() -> None:
    both = {**scene(), "prediction": np.maximum(scene()["labels"], 0)}
    both["prediction"][20:35, 10:30] = 1
    assert (prediction_panel(**both, by_class=True) != prediction_panel(**both)).any()


def test_heads() -> None:
    assert headed("Prediction", np.array([[0, 3, 9]]), by_class=False) == "Prediction: 2 objects"
    assert headed("Labels", np.array([[0, 3, 9]]), by_class=True) == "Labels: classes"


def test_arguments_are_left_as_they_were() -> None:
    given, before = scene(), scene()
    prediction_panel(**given)
    assert all((given[key] == before[key]).all() for key in before)


def test_pyplot_with_its_global_state_is_not_imported() -> None:
    code = "import sys, unet_exp.pictures; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
