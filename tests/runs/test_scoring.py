"""Scores of images that are small enough to write down."""

from typing import Any

import pytest
import torch
from torchmetrics import MetricCollection

from unet_exp.inference.predictor import Prediction
from unet_exp.metrics.object_f1 import ObjectF1
from unet_exp.metrics.pixel_error import PixelError
from unet_exp.metrics.v_rand import VRand
from unet_exp.runs.scored_images import as_dict
from unet_exp.runs.scoring import score_images

#: Foreground probabilities, true instances, found instances.
IMAGES = [
    ([0.9, 0.1, 0.8, 0.6], [1, 0, 2, -1], [1, 0, 2, 0]),
    ([0.4, 0.3, 0.2, 0.1], [1, 1, 0, 0], [0, 0, 0, 3]),
]


class Given:
    """Takes the probabilities for the image."""

    def predict(self, image: torch.Tensor) -> Prediction:
        inside, found = image
        return Prediction(torch.stack([1 - inside, inside])[:, None], found[None].int())


def batches() -> list[dict[str, Any]]:
    return [
        {
            "name": f"image {number}",
            "image": torch.tensor([inside, found]),
            "labels": torch.tensor([labels]),
            "markers": torch.tensor([labels]),
            "classes": torch.tensor([labels]).clamp(max=1),
        }
        for number, (inside, labels, found) in enumerate(IMAGES)
    ]


@pytest.fixture(scope="module")
def measures() -> MetricCollection:
    return MetricCollection(
        {"f1": ObjectF1(), "error": PixelError(), "v_rand": VRand([0.25, 0.5])},
        compute_groups=False,
    )


def test_each_image_and_all_together(measures: MetricCollection) -> None:
    found = score_images(Given(), measures, batches())  # pyright: ignore[reportArgumentType]
    assert [row["name"] for row in found.rows] == ["image 0", "image 1"]
    # The first has both objects right; the second none of one, and one that is false.
    assert [row["f1"] for row in found.rows] == [1, 0]
    assert [row["f1/recall"] for row in found.rows] == [1, 0]
    assert found.scores["f1"] == pytest.approx(2 * 2 / (3 + 3))
    assert found.details["f1"] == pytest.approx({"precision": 2 / 3, "recall": 2 / 3})
    # Three known pixels of the first are right, two of the second's four are wrong.
    assert [row["error"] for row in found.rows] == [0, 0.5]
    assert found.scores["error"] == pytest.approx(2 / 7)
    assert found.ranked("error") == [1, 0]
    assert found.ranked("f1") == [1, 0]
    assert list(found.curves) == ["v_rand"]
    assert found.curves["v_rand"].thresholds.tolist() == [0.25, 0.5]
    assert found.curves["v_rand"].split is not None


def test_precision_and_recall_leave_unknown_pixels_out(measures: MetricCollection) -> None:
    curve = score_images(Given(), measures, batches()).pixels  # pyright: ignore[reportArgumentType]
    at = {round(float(level), 6): place for place, level in enumerate(curve.thresholds)}
    # From 0.35 up: 0.9, 0.8 and 0.4, all true, of four true pixels; 0.6 is unknown.
    assert (curve.precision[at[0.35]], curve.recall[at[0.35]]) == (1, 0.75)
    # From 0.15 up: also 0.3, true, and 0.2, false.
    assert (curve.precision[at[0.15]], curve.recall[at[0.15]]) == pytest.approx((0.8, 1))


def test_numbers_are_plain_data(measures: MetricCollection) -> None:
    found = as_dict(score_images(Given(), measures, batches()))  # pyright: ignore[reportArgumentType]
    assert found["images"] == 2
    assert found["per_image"]["error"] == pytest.approx(
        {"mean": 0.25, "std": 0.5 / 2**0.5, "median": 0.25}
    )
    assert set(found["curves"]["v_rand"]) == {"thresholds", "values", "split", "merge"}
    assert {len(column) for column in found["curves"]["v_rand"].values()} == {2}
    assert len(found["precision_recall"]["recall"]) == 109


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError("no finite numbers"), "image 0: no finite numbers"),
        (MemoryError("Unable to allocate 9 GiB"), r"image 0: out of memory .*inference\.tile"),
        (torch.OutOfMemoryError("CUDA out of memory."), "image 0: out of memory"),
    ],
    ids=repr,
)
def test_an_image_that_cannot_be_scored_is_named(error: Exception, told: str) -> None:
    class Broken:
        def predict(self, image: torch.Tensor) -> Prediction:
            raise error

    with pytest.raises(ValueError, match=told):
        score_images(Broken(), MetricCollection([]), batches())  # pyright: ignore[reportArgumentType]
