import numpy as np

from unet_exp.weight_maps.border import border_weight_map
from unet_exp.weight_maps.uniform import UniformWeightMap

LABELS = np.array([[1, 0, 0, 2, 0, 0, -1, -1]])
CLASSES = np.array([[1, 0, 0, 1, 0, 0, 255, 255]], np.uint8)


def test_is_equation_2_without_the_border_term() -> None:
    expected = border_weight_map(LABELS, w0=0.0)
    np.testing.assert_array_equal(UniformWeightMap()(LABELS, CLASSES), expected)
    np.testing.assert_allclose(expected, [[1.5, 0.75, 0.75, 1.5, 0.75, 0.75, 0, 0]])


def test_all_ones_where_known() -> None:
    weights = UniformWeightMap(class_balance=False)(LABELS, CLASSES)
    np.testing.assert_array_equal(weights, [[1, 1, 1, 1, 1, 1, 0, 0]])


def test_balance_over_three_classes() -> None:
    labels, classes = np.array([[0, 0, 1, 2, -1]]), np.array([[0, 0, 1, 2, 255]], np.uint8)
    weights = UniformWeightMap()(labels, classes)
    np.testing.assert_allclose(weights, [[2 / 3, 2 / 3, 4 / 3, 4 / 3, 0]])


def test_balance_over_the_training_set() -> None:
    weigh = UniformWeightMap(class_frequencies=(0.8, 0.2))
    np.testing.assert_allclose(
        weigh(LABELS, CLASSES), [[2.5, 0.625, 0.625, 2.5, 0.625, 0.625, 0, 0]]
    )


def test_a_class_that_the_training_set_lacks_weighs_nothing() -> None:
    weigh = UniformWeightMap(class_frequencies=(1.0,))
    np.testing.assert_array_equal(weigh(LABELS, CLASSES), [[0, 1, 1, 0, 1, 1, 0, 0]])
