"""Parameters of postprocessing fitted to labelled images, by coordinate descent.

What they gain is also measured on images that had no part in choosing them, one left out at a
time: Stone 1974 (doi:10.1111/j.2517-6161.1974.tb00994.x).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Protocol, TypeVar, runtime_checkable

from jaxtyping import Float, Int
from torch import Tensor
from torchmetrics import Metric

#: Probabilities (c, h, w) of an image, and its true objects (h, w); each may have its own size.
Case = tuple[Float[Tensor, "_ _ _"], Int[Tensor, "_ _"]]

ROUNDS = 3
"""The parameters are gone through at most so often; most fits end after two rounds."""

LEAST_GAIN = 0.001
"""A parameter changes only where it betters the score by this share of it, not by a hair."""


@runtime_checkable
class Tunable(Protocol):
    """A postprocessing that is a frozen dataclass of its parameters."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    def __call__(self, probabilities: Tensor, /) -> Tensor:
        """Segment an image (c, h, w) into numbered objects (h, w)."""
        ...

    def grid(self, labels: Sequence[Tensor], /) -> dict[str, list[Any]]:
        """Offer values to try, by the names of parameters."""
        ...


Postprocessing = TypeVar("Postprocessing", bound=Tunable)


@dataclass(frozen=True)
class Tuning:
    """What was chosen, and what it gained.

    Parameters
    ----------
    chosen
        The parameters that changed, with their new values.
    before, after
        Score of all images, with the old and with the new parameters.
    held_out
        Score of all images, each with those of the tried parameters that are best on the others;
        NaN for a single image. If it is not above ``before``, the gain would not carry over to new
        images.
    tried
        How many sets of parameters were scored.
    """

    postprocessing: Any
    chosen: dict[str, Any]
    before: float
    after: float
    held_out: float
    tried: int


def tune(
    postprocessing: Tunable,
    cases: Sequence[Case],
    measure: Metric,
    progress: Callable[[int], object] | None = None,
) -> Tuning:
    """Fit the parameters that ``postprocessing.grid`` offers values for, from those it has.

    The result never scores worse on the images than what was given.

    Parameters
    ----------
    measure
        Its state is sums, and its update takes ``instances`` and ``labels``.
    progress
        Called with the number of sets of parameters tried so far.

    >>> import torch
    >>> from unet_exp.metrics.seg import SEG
    >>> from unet_exp.postprocessing.components import Components
    >>> inside = torch.tensor([[0.9, 0.9, 0.55, 0.9, 0.9]])
    >>> labels = torch.tensor([[1, 1, 0, 2, 2]])
    >>> found = tune(Components(), [(torch.stack([1 - inside, inside]), labels)], SEG())
    >>> found.chosen, round(found.before, 2), found.after
    ({'threshold': 0.7}, 0.4, 1.0)
    """
    if not cases:
        raise ValueError("There is no labelled image to fit the postprocessing to. Give one.")
    scores = Scores(cases, measure, progress)
    everything = range(len(cases))
    scores.of(postprocessing, everything)  # what was given is the first that is tried
    best = search(postprocessing, everything, scores)
    held_out = math.nan
    if len(cases) > 1:
        tried = list(scores.known)
        fitted = [chosen_on(tried, leave_out(i, everything), scores) for i in everything]
        held_out = scores.total([scores.single(fitted[i], i) for i in everything])
    old = {f.name: getattr(postprocessing, f.name) for f in fields(postprocessing)}
    new = {name: getattr(best, name) for name in old}
    return Tuning(
        best,
        {name: value for name, value in new.items() if value != old[name]},
        scores.of(postprocessing, everything),
        scores.of(best, everything),
        held_out,
        len(scores.known),
    )


def leave_out(index: int, indices: Sequence[int]) -> list[int]:
    """Return the indices but one.

    >>> leave_out(1, range(3))
    [0, 2]
    """
    return [i for i in indices if i != index]


def chosen_on(
    tried: Sequence[Postprocessing], indices: Sequence[int], scores: "Scores"
) -> Postprocessing:
    """Choose among parameters that were tried, the first of them unless another beats it."""
    best, top = tried[0], scores.of(tried[0], indices) * scores.sign
    for other in tried[1:]:
        score = scores.of(other, indices) * scores.sign
        if score - top > LEAST_GAIN * abs(top) or math.isnan(top):
            best, top = other, score
    return best


def search(start: Postprocessing, indices: Sequence[int], scores: "Scores") -> Postprocessing:
    """Improve one parameter after another until none can be, on some of the images."""
    best, grid = start, start.grid([scores.cases[i][1] for i in indices])
    for _ in range(ROUNDS):
        before = best
        for name, values in grid.items():
            best = best_of(best, name, values, lambda p: scores.of(p, indices) * scores.sign)
        if best == before:
            break
    return best


def best_of(
    current: Postprocessing,
    name: str,
    values: Sequence[Any],
    score: Callable[[Postprocessing], float],
) -> Postprocessing:
    """Return the best by one parameter: the current one unless another beats it.

    Of several equals it is the middle one, as far as can be from where the score falls.
    """
    candidates = []
    for value in values:
        try:
            candidates.append(replace(current, **{name: value}))
        except ValueError:  # out of what the other parameters allow
            continue
    found = [score(candidate) for candidate in candidates]
    top = max((f for f in found if not math.isnan(f)), default=math.nan)
    now = score(current)  # any number is better than NaN
    if math.isnan(top) or top - now <= LEAST_GAIN * abs(now):
        return current
    equals = [c for c, f in zip(candidates, found, strict=True) if f == top]
    return equals[(len(equals) - 1) // 2]


class Scores:
    """Scores of any parameters on any of the images; each image is segmented once with each.

    >>> import torch
    >>> from unet_exp.metrics.seg import SEG
    >>> from unet_exp.postprocessing.components import Components
    >>> labels = torch.tensor([[1, 1, 0, 2]])
    >>> inside = torch.where(labels > 0, 0.9, 0.1)
    >>> Scores([(torch.stack([1 - inside, inside]), labels)], SEG()).of(Components(), [0])
    1.0
    """

    def __init__(
        self,
        cases: Sequence[Case],
        measure: Metric,
        progress: Callable[[int], object] | None = None,
    ) -> None:
        self.cases, self.progress = cases, progress
        self.measure = measure.clone()
        self.sign = 1 if measure.higher_is_better else -1
        self.known: dict[Any, dict[int, Metric]] = {}

    def single(self, postprocessing: Tunable, index: int) -> Metric:
        """Return a measure that has seen one image alone."""
        if postprocessing not in self.known:
            self.known[postprocessing] = {}
            if self.progress is not None:
                self.progress(len(self.known))
        images = self.known[postprocessing]
        if index not in images:
            probabilities, labels = self.cases[index]
            images[index] = self.measure.clone()
            images[index].reset()
            images[index].update(instances=postprocessing(probabilities), labels=labels)
        return images[index]

    def total(self, singles: Sequence[Metric]) -> float:
        """Return the score of several images from the measures of each."""
        self.measure.reset()
        for single in singles:
            self.measure.merge_state(single)
        return float(self.measure.compute())

    def of(self, postprocessing: Tunable, indices: Sequence[int]) -> float:
        """Return the score of some of the images with one set of parameters."""
        return self.total([self.single(postprocessing, index) for index in indices])
