"""Parameters of postprocessing fitted to labelled images, by coordinate descent.

What they gain is also measured on images that had no part in choosing them, one left out at a
time: Stone 1974 (doi:10.1111/j.2517-6161.1974.tb00994.x).
"""

import math
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Protocol, runtime_checkable

from torch import Tensor
from torchmetrics import Metric

from unet_exp.inference.stored_cases import Case

ROUNDS = 3
"""Largest number of rounds over all parameters; most fits end after two."""

LEAST_GAIN = 0.001
"""Least relative gain in the score for which a parameter changes."""


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


@dataclass(frozen=True)
class Tuning:
    """The parameters that were chosen, and their scores.

    Parameters
    ----------
    chosen
        The parameters that changed, with their new values.
    before, after
        Score of all images with the old and with the new parameters.
    held_out
        Score of all images, each with the parameters that are best on the others; NaN for a single
        image. If it is not above ``before``, the gain does not carry over to new images.
    left_out
        For each image the parameters that are best on the others, or the old ones of a single
        image.
    tried
        Number of parameter sets scored.
    """

    postprocessing: Any
    chosen: dict[str, Any]
    before: float
    after: float
    held_out: float
    left_out: list[Any]
    tried: int


def tune(
    postprocessing: Tunable,
    cases: Sequence[Case],
    measure: Metric,
    progress: Callable[[int], object] | None = None,
    held: Collection[str] = (),
) -> Tuning:
    """Fit the parameters that ``postprocessing.grid`` offers values for.

    The search starts from the given parameters, so the result never scores worse on the images.

    Parameters
    ----------
    measure
        A metric whose state is sums and whose update takes ``instances`` and ``labels``.
    progress
        Called with the number of parameter sets tried so far.
    held
        Parameters that keep their value.

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
    everything = list(range(len(cases)))
    before = scores.of(postprocessing, everything)
    best = search(postprocessing, scores, held)
    left_out, held_out = [postprocessing], math.nan
    if len(cases) > 1:
        tried = list(scores.known)  # the given parameters come first
        left_out = [
            best_tried(tried, scores, [other for other in everything if other != index])
            for index in everything
        ]
        held_out = scores.total([scores.single(left_out[i], i) for i in everything])
    values = {f.name: getattr(best, f.name) for f in fields(postprocessing)}
    chosen = {k: value for k, value in values.items() if value != getattr(postprocessing, k)}
    after = scores.of(best, everything)
    return Tuning(best, chosen, before, after, held_out, left_out, len(scores.known))


def best_tried(tried: Sequence[Any], scores: "Scores", on: Sequence[int]) -> Any:
    """Return the parameters that are best on some images, the first unless another beats it."""
    best, top = tried[0], scores.of(tried[0], on) * scores.sign
    for other in tried[1:]:
        score = scores.of(other, on) * scores.sign
        if score - top > LEAST_GAIN * abs(top) or math.isnan(top):
            best, top = other, score
    return best


def search(start: Any, scores: "Scores", held: Collection[str]) -> Any:
    """Improve one parameter after another until none can be improved."""
    best, grid = start, start.grid([labels for _, labels in scores.cases])
    grid = {name: values for name, values in grid.items() if name not in held}
    everything = range(len(scores.cases))
    for _ in range(ROUNDS):
        before = best
        for name, values in grid.items():
            candidates = []
            for value in values:
                # Other parameters may exclude a value.
                with suppress(ValueError):
                    candidates.append(replace(best, **{name: value}))
            best = better(best, candidates, scores, everything)
        if best == before:
            break
    return best


def better(current: Any, candidates: Sequence[Any], scores: "Scores", on: Sequence[int]) -> Any:
    """Return the best candidate on some images, or the current one unless that is beaten.

    Of equally good candidates it is the middle one, since the score falls on either side.
    """
    found = [scores.of(candidate, on) * scores.sign for candidate in candidates]
    top = max((score for score in found if not math.isnan(score)), default=math.nan)
    now = scores.of(current, on) * scores.sign  # any number is better than NaN
    if math.isnan(top) or top - now <= LEAST_GAIN * abs(now):
        return current
    equals = [c for c, score in zip(candidates, found, strict=True) if score == top]
    return equals[(len(equals) - 1) // 2]


class Scores:
    """Scores of parameter sets on some of the images; each image is segmented once per set.

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
        """Return the metric of a single image."""
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
        """Return the score of several images from the metric of each."""
        self.measure.reset()
        for single in singles:
            self.measure.merge_state(single)
        return float(self.measure.compute())

    def of(self, postprocessing: Tunable, indices: Sequence[int]) -> float:
        """Return the score of one parameter set on some of the images."""
        return self.total([self.single(postprocessing, index) for index in indices])
