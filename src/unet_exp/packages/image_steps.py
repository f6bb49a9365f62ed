"""Steps with which a package scales an image before the network.

Some steps use statistics of the whole image. These are computed band by band, so an image may be
larger than memory. The pixels are scaled when they are read.

Formulas: https://bioimage-io.github.io/spec-bioimage-io, preprocessing.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float64

from unet_exp.arrays import MappedArray, SlicedArray
from unet_exp.images.nodata import NoneAtAll
from unet_exp.images.scaling import channel_of, moments, sampled
from unet_exp.packages.fields import Fields
from unet_exp.packages.steps import (
    OUTPUT,
    Array,
    Step,
    clipped,
    named,
    require_fitting,
    scaled,
)

#: From an image (c, h, w) to the step with the image's statistics.
Fit = Callable[[Any], Step]
#: From an image (c, h, w) to one whose pixels are changed when they are read by slices.
ImageStep = Callable[[SlicedArray], SlicedArray]

#: Letter of each axis of an image. The batch is a single image.
AXES = {"channel": "c", "c": "c", "y": "y", "x": "x", "batch": "", "b": ""}
ALL_DATA = NoneAtAll()


def image_steps(described: Sequence[Fields], channels: int) -> list[ImageStep]:
    """Return the steps of preprocessing, in order, for images with this number of channels.

    Raises PackageError for a step that is not known or has wrong values.

    >>> step = {"id": "scale_linear", "kwargs": {"gain": 2, "offset": 1}}
    >>> [double] = image_steps([Fields(step, "rdf.yaml")], channels=1)
    >>> double(np.ones((1, 1, 1), np.float32))[:, :, :].item()
    3.0
    """
    return [image_step(one, channels) for one in described]


def image_step(described: Fields, channels: int) -> ImageStep:
    """Return a step, after a trial on a tiny image."""
    fit, arguments = named(described, IMAGE)
    require_fitting(lambda image: fit(image)(image), arguments, channels)

    def apply(image: SlicedArray) -> SlicedArray:
        change = fit(image)

        def read(source: Any, key: tuple[slice, slice, slice]) -> Array:
            pixels = np.asarray(source[(slice(None), *key[1:])])
            return change(pixels.astype(np.float32))[key[0]]

        return MappedArray(image, read, dtype=np.float32)

    return apply


def of_all_channels(arguments: Fields) -> bool:
    """Tell whether statistics are those of all channels together, or of each channel."""
    names = arguments.several("axes", ["channel", "y", "x"])
    if unknown := [str(one)[:20] for one in names if not isinstance(one, str) or one not in AXES]:
        raise arguments.refuses(f"axes={unknown[:5]}", "Name some of batch, channel, y and x.")
    letters = {AXES[name] for name in names} - {""}
    if not {"y", "x"} <= letters:
        raise arguments.refuses(
            f"axes={list(map(str, names))}", "Statistics are taken over y and x: name both."
        )
    return "c" in letters


def zero_mean_unit_variance(arguments: Fields) -> Fit:
    """Subtract the mean, and divide by the standard deviation."""
    together, eps = of_all_channels(arguments), arguments.real("eps", 1e-6)

    def fit(image: Any) -> Step:
        found = [moments(channel, ALL_DATA) for channel in channels_of(image)]
        mean, deviation = np.array([one[2:] for one in found]).T[..., None, None]
        if together:  # all channels have the same number of pixels
            deviation = np.sqrt((deviation**2).mean() + mean.var())
            mean = mean.mean()
        return lambda pixels: scaled(pixels, mean, deviation + eps)

    return fit


def scale_range(arguments: Fields) -> Fit:
    """Scale values so that two percentiles become 0 and 1."""
    together, eps = of_all_channels(arguments), arguments.real("eps", 1e-6)
    ranks = percentage(arguments, "min_percentile", 0), percentage(arguments, "max_percentile", 100)

    def fit(image: Any) -> Step:
        low, high = percentiles(image, ranks, together)
        return lambda pixels: scaled(pixels, low, high - low + eps)

    return fit


def clip(arguments: Fields) -> Fit:
    """Clip values to two limits, which are numbers or percentiles."""
    together = of_all_channels(arguments)
    limits: list[Any] = [arguments.real(name, None) for name in ("min", "max")]
    ranks = {
        index: rank
        for index, name in enumerate(("min_percentile", "max_percentile"))
        if (rank := percentage(arguments, name, None)) is not None
    }

    def fit(image: Any) -> Step:
        found = percentiles(image, list(ranks.values()), together) if ranks else ()
        low, high = (dict(enumerate(limits)) | dict(zip(ranks, found, strict=True))).values()
        return lambda pixels: clipped(pixels, low, high)

    return fit


def without_statistics(kind: Callable[[Fields], Step]) -> Callable[[Fields], Fit]:
    """Adapt a step that does not depend on the image to the interface of those that do."""

    def of_any_image(arguments: Fields) -> Fit:
        change = kind(arguments)
        return lambda image: change

    return of_any_image


IMAGE: dict[str, Callable[[Fields], Fit]] = {
    **{name: without_statistics(kind) for name, kind in OUTPUT.items()},
    "clip": clip,
    "scale_range": scale_range,
    "zero_mean_unit_variance": zero_mean_unit_variance,
}


def channels_of(image: Any) -> list[Any]:
    """Return the channels (h, w) of an image (c, h, w)."""
    return [channel_of(image, number) for number in range(image.shape[0])]


def percentiles(
    image: Any, ranks: Sequence[float], together: bool
) -> Float64[np.ndarray, "ranks _ 1 1"]:
    """Return percentiles of each channel, or of all channels together.

    If channels have more than ``scaling.BAND`` pixels, they are those of evenly spaced pixels.
    """
    values = [sampled(channel) for channel in channels_of(image)]
    groups = [np.concatenate(values)] if together else values
    found = [np.percentile(one, ranks) for one in groups]
    return np.array(found, np.float64).T[..., None, None]


def percentage(arguments: Fields, name: str, otherwise: float | None) -> Any:
    """Return a number from 0 to 100."""
    value = arguments.real(name, otherwise)
    if value is not None and not 0 <= value <= 100:
        raise arguments.refuses(f"{name}={value:g}", "Write a number from 0 to 100.")
    return value
