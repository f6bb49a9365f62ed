"""Steps of the zoo's format. The expected numbers were computed by hand."""

from typing import Any

import numpy as np
import pytest

from unet_exp.images import scaling
from unet_exp.packages.archive import PackageError
from unet_exp.packages.fields import Fields
from unet_exp.packages.image_steps import image_steps
from unet_exp.packages.steps import output_steps

IMAGE = np.array([[[0, 2], [4, 6]], [[10, 10], [20, 20]]], np.float32)


def apply(kind: str, image: Any = IMAGE, **arguments: Any) -> list[Any]:
    described = Fields({"id": kind, "kwargs": arguments}, "rdf.yaml")
    (step,) = image_steps([described], len(image))
    return np.round(step(image)[:, :, :].astype(float), 4).tolist()


def test_each_channel_has_mean_0_and_variance_1() -> None:
    found = apply("zero_mean_unit_variance", axes=["y", "x"], eps=1e-9)
    # Standard deviations: the root of 5, and 5.
    assert found == [[[-1.3416, -0.4472], [0.4472, 1.3416]], [[-1, -1], [1, 1]]]


def test_channels_may_be_normalised_together() -> None:
    image = np.array([[[0.0]], [[4.0]]], np.float32)
    for axes in (None, ["batch", "channel", "y", "x"]):
        assert apply("zero_mean_unit_variance", image, axes=axes, eps=1e-9) == [[[-1]], [[1]]]


def test_percentiles_become_0_and_1() -> None:
    found = apply("scale_range", axes=["y", "x"], min_percentile=0, max_percentile=50, eps=1e-9)
    assert found == [[[0, 0.6667], [1.3333, 2]], [[0, 0], [2, 2]]]


def test_values_are_clipped() -> None:
    assert apply("clip", min=1, max=15) == [[[1, 2], [4, 6]], [[10, 10], [15, 15]]]
    assert apply("clip", min=None, max=5)[0] == [[0, 2], [4, 5]]
    assert apply("clip", max_percentile=50, axes=["y", "x"])[0] == [[0, 2], [3, 3]]


def test_given_numbers() -> None:
    assert apply("scale_linear", gain=[1, 0.5], offset=[1, 0], axis="channel") == [
        [[1, 3], [5, 7]],
        [[5, 5], [10, 10]],
    ]
    assert apply("fixed_zero_mean_unit_variance", mean=2, std=2)[0] == [[-1, 0], [1, 2]]
    assert apply("binarize", threshold=4)[0] == [[0, 0], [0, 1]]
    assert apply("ensure_dtype", IMAGE + 0.7, dtype="uint8")[0] == [[0, 2], [4, 6]]


def test_statistics_are_those_of_all_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    image = np.random.default_rng(0).normal(7, 3, (2, 50, 40)).astype(np.float32)
    monkeypatch.setattr(scaling, "BAND", 100)
    described = [{"id": "zero_mean_unit_variance", "kwargs": {"eps": 1e-9}}, {"id": "sigmoid"}]
    standard, sigmoid = image_steps([Fields(one, "rdf.yaml") for one in described], 2)
    found = sigmoid(standard(image))[0:1, 10:30, 5:9]
    whole = 1 / (1 + np.exp(-(image - image.mean()) / image.std()))
    assert np.allclose(found, whole[:1, 10:30, 5:9], atol=1e-6)


def test_probabilities() -> None:
    zeros = np.zeros((2, 1, 1), np.float32)
    assert apply("sigmoid", zeros + np.log(3)) == [[[0.75]], [[0.75]]]
    assert apply("softmax", np.log(np.array([[[1.0]], [[3.0]]], np.float32))) == [
        [[0.25]],
        [[0.75]],
    ]
    assert apply("softmax", zeros + 1e6) == [[[0.5]], [[0.5]]]


@pytest.mark.parametrize(
    ("kind", "arguments", "told"),
    [
        ("stardist_postprocessing", {}, "has the step stardist_postprocessing. Only these"),
        ("custom", {}, "has the step custom"),
        ("clip", {"min": "a"}, "min=a. Write a finite number"),
        ("clip", {"min": float("nan")}, "min=nan"),
        ("scale_range", {"max_percentile": 101}, "max_percentile=101. Write a number from 0 to"),
        ("scale_range", {"axes": ["z"]}, r"axes=\['z'\]. Name some of"),
        ("scale_range", {"axes": ["channel"]}, "taken over y and x: name both"),
        ("scale_linear", {"gain": [1, 2, 3]}, "values that do not fit 2 channels"),
        ("scale_linear", {"gain": [1, 2], "axis": "y"}, "axis=y. Write axis: channel"),
        ("fixed_zero_mean_unit_variance", {"mean": 0, "std": 0}, "a std of 0 or less"),
        ("fixed_zero_mean_unit_variance", {"std": 1}, "has no mean"),
        ("ensure_dtype", {"dtype": "object"}, "dtype=object. Write one of float32"),
        ("softmax", {"axis": "x"}, "axis=x. Write axis: channel"),
    ],
)
def test_unknown_steps_are_refused(kind: str, arguments: dict[str, Any], told: str) -> None:
    with pytest.raises(PackageError, match=told):
        apply(kind, **arguments)


def test_one_gain_for_each_channel_does_not_multiply_channels() -> None:
    with pytest.raises(PackageError, match="do not fit 1 channels"):
        apply("scale_linear", IMAGE[:1], gain=[1, 2])


def test_an_output_has_no_statistics_of_its_own() -> None:
    for kind, more in (("zero_mean_unit_variance", {}), ("clip", {"min_percentile": 1})):
        with pytest.raises(PackageError):
            output_steps([Fields({"id": kind, "kwargs": more}, "rdf.yaml")], 1)
