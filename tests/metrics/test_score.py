from typing import Any

import pytest
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.classification import BinaryAccuracy

from unet_exp.metrics.score import Score, require_score
from unet_exp.metrics.seg import SEG


class Count(Metric):
    """The mean number of objects."""

    higher_is_better = True

    def update(self, instances: Tensor, at_least: int = 0) -> None: ...

    def compute(self) -> Any: ...


class Undecided(Count):
    higher_is_better = None


class Empty(Count):
    def update(self) -> None: ...


def test_a_metric_takes_what_validation_offers() -> None:
    for metric in (SEG(), Count()):
        assert isinstance(metric, Score)
        require_score("mine", metric)


@pytest.mark.parametrize(
    ("metric", "told"),
    [
        (object(), r"metric\.mine: object is no torchmetrics\.Metric\. .*Score describes"),
        (BinaryAccuracy(), r"takes preds, target\. It may take probabilities, classes, labels"),
        (Empty(), "takes nothing"),
        (Undecided(), r"does not say whether more of it is better\. Add higher_is_better"),
    ],
)
def test_the_error_of_an_unsuitable_metric_names_what_is_missing(metric: Any, told: str) -> None:
    with pytest.raises(TypeError, match=told):
        require_score("mine", metric)
