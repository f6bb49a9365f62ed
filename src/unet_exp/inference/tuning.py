"""Fit parameters of postprocessing to labelled images, by coordinate descent, coarse to fine.

The gain is also measured on images that were not used for the fit, by leaving out one image at a
time: Stone 1974 (doi:10.1111/j.2517-6161.1974.tb00994.x).
"""

import math
from collections.abc import Callable, Collection, Hashable, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor
from torchmetrics import Metric

from unet_exp.inference.stored_cases import Case

ROUNDS = 3
"""Largest number of rounds over all parameters; most fits end after two."""

SAMPLE = 16
"""Largest number of images on which every offered value is tried."""

LEAST_GAIN = 0.001
"""Smallest relative gain in the score for which a parameter is changed."""

CHANCE, LARGEST_CHANCE = 0.1, 0.03
"""Relative differences in the score may be chance up to ``CHANCE / images``, but not above
``LARGEST_CHANCE``.

On the nuclei of the Data Science Bowl, parameters that were fitted to 3 images with this rule gave
a mean AP of 0.49 on other images, and 0.47 without it. With 12 images: 0.524 and 0.520.
"""


@runtime_checkable
class Tunable(Protocol):
    """A postprocessing that is a frozen dataclass of its parameters."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    def __call__(self, probabilities: Tensor, /) -> Tensor:
        """Segment an image (c, h, w) into numbered objects (h, w)."""
        ...

    def grid(self, labels: Sequence[Tensor], /) -> dict[str, list[Any]]:
        """Return values to try, by parameter name."""
        ...


@runtime_checkable
class InTwoSteps(Protocol):
    """A postprocessing with a slow first step, which some parameters do not change."""

    @property
    def preparation(self) -> Hashable:
        """The parameters that the first step depends on."""
        ...

    def prepare(self, probabilities: Tensor, /) -> Any:
        """Compute the first step for an image (c, h, w)."""
        ...

    def finish(self, prepared: Any, /) -> Tensor:
        """Segment an image (h, w), given the result of the first step."""
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
        image. If it is not above ``before``, the gain is not expected on new images.
    left_out
        For each image, the parameters that are best on the others. For a single image, these are
        the old parameters.
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

    All values are tried on a sample of the images, then the neighbours of the best values on all
    images. The search starts from the given parameters, so the result is never worse on these
    images.

    Parameters
    ----------
    measure
        A metric whose state consists of sums and whose update takes ``instances`` and ``labels``.
    progress
        Function that is called with the number of parameter sets tried so far.
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
    everything = range(len(cases))
    before = scores.of(postprocessing, everything)
    offered = postprocessing.grid([labels for _, labels in cases])
    grid = {name: values for name, values in offered.items() if name not in held}
    sample = everything[:: -(-len(cases) // SAMPLE)]
    best = descend(postprocessing, scores, sample, lambda _, name: grid[name], list(grid))
    if len(sample) < len(cases):
        best = better(postprocessing, [best], scores, everything)
        best = descend(
            best, scores, everything,
            lambda current, name: neighbours(getattr(current, name), grid[name]), list(grid),
        )  # fmt: skip
    left_out, held_out = leave_each_out(postprocessing, scores)
    values = {f.name: getattr(best, f.name) for f in fields(postprocessing)}
    chosen = {k: value for k, value in values.items() if value != getattr(postprocessing, k)}
    after = scores.of(best, everything)
    return Tuning(best, chosen, before, after, held_out, left_out, len(scores.known))


def descend(
    start: Any,
    scores: "Scores",
    on: Sequence[int],
    offer: Callable[[Any, str], Sequence[Any]],
    names: Sequence[str],
) -> Any:
    """Improve one parameter after another on some images, until none can be improved.

    ``offer`` returns the values to try for a parameter.
    """
    best = start
    for _ in range(ROUNDS):
        before = best
        for name in names:
            candidates = []
            for value in offer(best, name):
                # Other parameters may exclude a value.
                with suppress(ValueError):
                    candidates.append(replace(best, **{name: value}))
            best = better(best, candidates, scores, on)
        if best == before:
            break
    return best


def better(current: Any, candidates: Sequence[Any], scores: "Scores", on: Sequence[int]) -> Any:
    """Return a candidate that is good on some images, or the current value if none is better.

    If several candidates are nearly as good as the best, the middle one is chosen. The score falls
    on both sides of it, and small differences mean little if there are few images.
    """
    found = [scores.of(candidate, on) * scores.sign for candidate in candidates]
    top = max((score for score in found if not math.isnan(score)), default=math.nan)
    now = scores.of(current, on) * scores.sign  # any number is better than NaN
    least = -math.inf if math.isnan(now) else now + LEAST_GAIN * abs(now)
    if math.isnan(top) or top <= least:
        return current
    close = top - min(LARGEST_CHANCE, CHANCE / len(on)) * abs(top)
    good = [c for c, s in zip(candidates, found, strict=True) if s >= close and s > least]
    return good[(len(good) - 1) // 2]


def neighbours(value: Any, values: Sequence[Any]) -> list[Any]:
    """Return a value and its neighbours; for fractions, also the values halfway between them.

    >>> neighbours(0.5, [0.1, 0.3, 0.5, 0.7]), neighbours(10, [0, 2, 5, 10])
    ([0.3, 0.4, 0.5, 0.6, 0.7], [5, 10])
    """
    ordered = sorted({*values, value})
    place = ordered.index(value)
    near = ordered[max(0, place - 1) : place + 2]
    if isinstance(value, float):
        near += [round((value + other) / 2, 3) for other in near if other != value]
    return sorted(near)


def leave_each_out(given: Any, scores: "Scores") -> tuple[list[Any], float]:
    """Return for each image the parameter set that is best on the others, and the resulting score.

    The candidates are the sets that were tried on all images. The given set is kept unless another
    one is better.
    """
    count = len(scores.cases)
    tried = [one for one, states in scores.known.items() if len(states) == count]
    if count == 1:
        return [given], math.nan
    totals = [scores.total(one, range(count)) for one in tried]
    left_out = []
    for index in range(count):
        best, top = given, math.nan
        for one, total in zip(tried, totals, strict=True):
            score = scores.score(total - scores.state(one, index)) * scores.sign
            if one == given or score - top > LEAST_GAIN * abs(top) or math.isnan(top):
                best, top = one, score
        left_out.append(best)
    states = [scores.state(one, index) for index, one in enumerate(left_out)]
    return left_out, scores.score(np.sum(states, 0))


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
        self.measure.reset()
        #: The state of the metric without images, for names, shapes and types.
        self.empty: dict[str, Any] = deepcopy(self.measure.metric_state)
        self.sign = 1 if measure.higher_is_better else -1
        self.known: dict[Any, dict[int, Float64[np.ndarray, " state"]]] = {}
        #: The latest result of the first step for each image, with its parameters.
        self.prepared: dict[int, tuple[Hashable, Any]] = {}

    def state(self, postprocessing: Tunable, index: int) -> Float64[np.ndarray, " state"]:
        """Return the metric's sums of a single image."""
        if postprocessing not in self.known:
            self.known[postprocessing] = {}
            if self.progress is not None:
                self.progress(len(self.known))
        images = self.known[postprocessing]
        if index not in images:
            probabilities, labels = self.cases[index]
            instances = self.segment(postprocessing, index, probabilities)
            self.measure.reset()
            self.measure.update(instances=instances, labels=labels)
            state: dict[str, Any] = self.measure.metric_state
            images[index] = np.concatenate([state[k].double().ravel() for k in self.empty])
        return images[index]

    def segment(self, postprocessing: Tunable, index: int, probabilities: Tensor) -> Tensor:
        """Segment an image; repeat the first step only if its parameters change."""
        if not isinstance(postprocessing, InTwoSteps):
            return postprocessing(probabilities)
        by, prepared = self.prepared.get(index, (None, None))
        if by != postprocessing.preparation:
            by, prepared = postprocessing.preparation, postprocessing.prepare(probabilities)
            self.prepared[index] = by, prepared
        return postprocessing.finish(prepared)

    def total(self, postprocessing: Tunable, indices: Sequence[int]) -> Float64[np.ndarray, " s"]:
        """Return the metric's sums of several images."""
        return np.sum([self.state(postprocessing, index) for index in indices], 0)

    def score(self, total: Float64[np.ndarray, " state"]) -> float:
        """Return the score for the metric's sums."""
        sizes = [state.numel() for state in self.empty.values()]
        parts = np.split(total, np.cumsum(sizes)[:-1])
        self.measure.reset()
        self.measure.merge_state(
            {
                name: torch.from_numpy(part).reshape(state.shape).to(state)
                for part, (name, state) in zip(parts, self.empty.items(), strict=True)
            }
        )
        return float(self.measure.compute())

    def of(self, postprocessing: Tunable, indices: Sequence[int]) -> float:
        """Return the score of one parameter set on some of the images."""
        return self.score(self.total(postprocessing, indices))
