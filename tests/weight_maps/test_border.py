import inspect
import os
from pathlib import Path

import numpy as np
import pytest
import tifffile
from scipy import ndimage

from unet_exp.targets.separation import separate
from unet_exp.weight_maps.border import BorderWeightMap, border_weight_map


def textbook(labels: np.ndarray, w0: float = 10.0, sigma: float = 5.0) -> np.ndarray:
    """Compute the second term with one distance transform of the whole image for each object."""
    objects = np.unique(labels[labels > 0])
    distances = np.stack([ndimage.distance_transform_edt(labels != i) for i in objects])
    d1, d2 = np.sort(distances, axis=0)[:2]
    return w0 * np.exp(-((d1 + d2) ** 2) / (2 * sigma**2)) * (labels == 0)


def squares(gap: int) -> np.ndarray:
    labels = np.zeros((20, 40 + gap), np.int32)
    labels[5:15, 5:20] = 1
    labels[5:15, 20 + gap : 35 + gap] = 2
    return labels


@pytest.mark.parametrize(("w0", "sigma"), [(10.0, 5.0), (3.0, 2.0), (20.0, 9.0)])
@pytest.mark.parametrize("gap", [0, 1, 4, 12])
def test_equals_the_textbook_recipe(gap: int, w0: float, sigma: float) -> None:
    labels = separate(squares(gap))
    weights = border_weight_map(labels, w0, sigma, class_balance=False)
    np.testing.assert_allclose(weights - 1, textbook(labels, w0, sigma), atol=1e-4)


def test_the_middle_of_a_gap() -> None:
    # A gap of 3: its middle is 2 pixels from both, its sides 1 and 3, all with the sum 4.
    weights = border_weight_map(squares(3), class_balance=False)
    np.testing.assert_allclose(weights[10, 20:23], 1 + 10 * np.exp(-16 / 50), rtol=1e-6)


def test_class_balance_has_the_mean_one() -> None:
    labels = squares(4)
    balanced = border_weight_map(labels, w0=0.0)
    assert balanced.mean() == pytest.approx(1)
    assert balanced[labels > 0].sum() == pytest.approx(balanced[labels == 0].sum())


@pytest.mark.parametrize("value", [0, 1, -1])
def test_an_image_of_one_kind(value: int) -> None:
    weights = border_weight_map(np.full((6, 7), value))
    np.testing.assert_array_equal(weights, np.full((6, 7), 0 if value < 0 else 1))


def test_one_cell_has_no_border_term() -> None:
    labels = np.zeros((9, 9), np.int32)
    labels[4, 4] = 3
    np.testing.assert_array_equal(border_weight_map(labels, class_balance=False), 1)


def test_unknown_pixels_weigh_nothing_and_are_no_cell() -> None:
    labels = squares(4)
    plain = border_weight_map(labels, class_balance=False)
    labels[:, 22:] = -1  # the second cell, and half of the gap
    weights = border_weight_map(labels, class_balance=False)
    assert (weights[:, 22:] == 0).all()
    assert (weights[:, :22] == 1).all()
    assert plain[10, 21] > 7


def test_without_separation_touching_cells_stay() -> None:
    labels = np.array([[1, 1, 2, 2, 0]])
    kept = border_weight_map(labels, class_balance=False)
    np.testing.assert_allclose(kept[0, :4], 1)
    made = border_weight_map(separate(labels), class_balance=False)
    assert made[0, 1] == made[0, 2] == pytest.approx(1 + 10 * np.exp(-9 / 50))


def test_classes_are_balanced_and_instances_of_all_classes_are_cells() -> None:
    labels = np.array([[1, 1, 0, 0, 2, 3, -1]])
    classes = np.array([[1, 1, 0, 0, 1, 2, 255]], np.uint8)
    weights = BorderWeightMap()(labels, classes)
    border = 10 * np.exp(-9 / 50)
    expected = [[2 / 3, 2 / 3, 1 + border, 1 + border, 2 / 3, 2, 0]]
    np.testing.assert_allclose(weights, expected, rtol=1e-6)


def test_the_object_is_the_function_with_its_parameters() -> None:
    labels = squares(2)
    given = {"w0": 4.0, "sigma": 3.0, "class_balance": False}
    classes = (labels > 0).astype(np.uint8)
    weights = BorderWeightMap(**given)(labels, classes)
    np.testing.assert_array_equal(weights, border_weight_map(labels, **given))
    defaults = inspect.signature(border_weight_map).parameters
    for name, parameter in inspect.signature(BorderWeightMap).parameters.items():
        assert parameter.default == defaults[name].default


@pytest.mark.parametrize(("w0", "sigma"), [(10.0, 0.0), (-1.0, 5.0)])
def test_impossible_parameters_are_refused(w0: float, sigma: float) -> None:
    with pytest.raises(ValueError, match=rf"w0 = {w0}, sigma = {sigma}"):
        border_weight_map(squares(2), w0, sigma)


@pytest.fixture
def real() -> Path:
    folder = Path(os.environ.get("UNET_EXP_DATA", "data"))
    if not (folder / "isbi_em").is_dir():
        pytest.skip(f"no isbi_em in {folder}")
    return folder


@pytest.mark.data
def test_equals_the_textbook_recipe_on_an_isbi_slice(real: Path) -> None:
    inside = tifffile.imread(real / "isbi_em" / "train-labels.tif", key=0) == 255
    labels = np.zeros(inside.shape, np.int32)
    assert ndimage.label(inside, output=labels) == 136
    labels = separate(labels)
    weights = border_weight_map(labels, class_balance=False)
    np.testing.assert_allclose(weights - 1, textbook(labels), atol=1e-4)


@pytest.mark.data
def test_equals_the_textbook_recipe_on_a_hela_frame(real: Path) -> None:
    path = real / "DIC-C2DH-HeLa" / "01_ST" / "SEG" / "man_seg040.tif"
    if not path.exists():
        pytest.skip(f"no {path}")
    labels = separate(tifffile.imread(path).astype(np.int32))
    weights = border_weight_map(labels, class_balance=False)
    np.testing.assert_allclose(weights - 1, textbook(labels), atol=1e-4)
