"""The interface of a metric for validation and evaluation."""

from inspect import signature
from typing import Any, Protocol, runtime_checkable

from torchmetrics import Metric

from unet_exp.metrics.arguments import DIMENSIONS


@runtime_checkable
class Score(Protocol):
    """A ``torchmetrics.Metric`` whose ``update`` takes some of these arguments, by name.

    - ``probabilities`` (k, h, w): predicted probability of each class;
    - ``classes`` (h, w): true classes, -1 unknown;
    - ``instances`` (h, w): predicted instances;
    - ``labels`` (h, w): true instances, 0 background, -1 unknown;
    - ``markers`` (h, w): a mark inside each true instance.

    Each call is for one image. ``compute`` returns one number, NaN if no image counts. A suitable
    base class is `unet_exp.metrics.measure.Measure`.
    """

    higher_is_better: bool | None
    """Whether the best checkpoint has the highest value (True) or the lowest (False)."""

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Add an image to the score."""
        ...

    def compute(self) -> Any:
        """Return the score of all images."""
        ...


def require_score(name: str, metric: Any) -> None:
    """Raise TypeError unless an object is a metric that validation can update.

    >>> from torchmetrics.classification import BinaryAccuracy
    >>> require_score("accuracy", BinaryAccuracy())
    Traceback (most recent call last):
    TypeError: metric.accuracy: update of BinaryAccuracy takes preds, target. It may take ...
    """
    kind, where = type(metric).__name__, f"{__name__}.Score describes what a metric needs."
    if not isinstance(metric, Metric):
        raise TypeError(f"metric.{name}: {kind} is no torchmetrics.Metric. {where}")
    taken = signature(metric.update).parameters
    needed = {name for name, one in taken.items() if one.default is one.empty}
    if not needed or not needed <= set(DIMENSIONS):
        raise TypeError(
            f"metric.{name}: update of {kind} takes {', '.join(taken) or 'nothing'}. It may take "
            f"{', '.join(DIMENSIONS)}. {where}"
        )
    if metric.higher_is_better is None:
        raise TypeError(
            f"metric.{name}: {kind} does not say whether more of it is better. Add "
            f"higher_is_better = True or False to the class. {where}"
        )
