"""The steps by which a package scales images before the network, and its output after it.

Formulas: https://bioimage-io.github.io/spec-bioimage-io, preprocessing and postprocessing.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float32, Shaped

from unet_exp.packages.fields import Fields

Array = Float32[np.ndarray, "c h w"]
Step = Callable[[Array], Array]

#: Position of each axis of an array (c, h, w). The batch is a single image.
POSITIONS = {"channel": 0, "y": 1, "x": 2, "c": 0}
BATCH = ("batch", "b")
DTYPES = (
    "float32", "float64", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64",
    "bool",
)  # fmt: skip


def image_steps(described: Sequence[Fields], channels: int) -> list[Step]:
    """Return the steps of preprocessing, in order, for images of so many channels.

    Raises PackageError for a step that is not known, or has wrong values.

    >>> step = {"id": "scale_linear", "kwargs": {"gain": 2, "offset": 1}}
    >>> [double] = image_steps([Fields(step, "rdf.yaml")], channels=1)
    >>> double(np.ones((1, 1, 1), np.float32)).item()
    3.0
    """
    return [step(one, IMAGE, channels) for one in described]


def output_steps(described: Sequence[Fields], channels: int) -> list[Step]:
    """Return the steps of postprocessing, in order, for outputs of so many channels.

    They work on tiles, so none may take statistics.

    Raises PackageError for a step that is not known, has wrong values, or needs the whole image.
    """
    return [step(one, OUTPUT, channels) for one in described]


def step(described: Fields, kinds: dict[str, Callable[[Fields], Step]], channels: int) -> Step:
    """Return a step, after a trial on a tiny image."""
    kind = described.text("id")
    if kind not in kinds:
        raise described.refuses(
            f"the step {kind[:40]}", f"Only these are known here: {', '.join(sorted(kinds))}."
        )
    arguments = described.record("kwargs", {})
    found, shape = kinds[kind](arguments), (channels, 2, 2)
    try:
        fits = found(np.zeros(shape, np.float32)).shape == shape
    except ValueError:
        fits = False
    if not fits:
        raise arguments.refuses(
            f"values that do not fit {channels} channels", "Give one, or one for each channel."
        )
    return found


def axes_of(arguments: Fields) -> tuple[int, ...]:
    """Return the positions of the axes that statistics are taken over; all by default."""
    names = arguments.several("axes", ["channel", "y", "x"])
    if unknown := [str(n) for n in names if n not in BATCH and n not in POSITIONS]:
        raise arguments.refuses(f"axes={unknown}", "Name some of batch, channel, y and x.")
    return tuple(sorted({POSITIONS[name] for name in names if name not in BATCH}))


def zero_mean_unit_variance(arguments: Fields) -> Step:
    """Subtract the mean, and divide by the standard deviation."""
    axes, eps = axes_of(arguments), arguments.real("eps", 1e-6)

    def apply(image: Array) -> Array:
        mean, deviation = (
            part(image, axis=axes, keepdims=True, dtype=np.float64) for part in (np.mean, np.std)
        )
        return scaled(image, mean, deviation + eps)

    return apply


def scale_range(arguments: Fields) -> Step:
    """Make two percentiles 0 and 1."""
    axes, eps = axes_of(arguments), arguments.real("eps", 1e-6)
    low, high = (
        percentage(arguments, "min_percentile", 0),
        percentage(arguments, "max_percentile", 100),
    )

    def apply(image: Array) -> Array:
        values = image.astype(np.float64)
        least, most = np.percentile(values, (low, high), axis=axes, keepdims=True)
        return scaled(image, least, most - least + eps)

    return apply


def clip(arguments: Fields) -> Step:
    """Replace values beyond two limits by them: numbers, or percentiles."""
    axes = axes_of(arguments)
    limits = [arguments.real(name, None) for name in ("min", "max")]
    ranks = [percentage(arguments, f"{name}_percentile", None) for name in ("min", "max")]

    def apply(image: Array) -> Array:
        found = [
            limit if rank is None else np.percentile(image, rank, axis=axes, keepdims=True)
            for limit, rank in zip(limits, ranks, strict=True)
        ]
        return np.clip(image, *found).astype(np.float32)

    return apply


def fixed_clip(arguments: Fields) -> Step:
    """Replace values beyond two numbers by them."""
    if {"min_percentile", "max_percentile"} & set(arguments.value):
        raise arguments.refuses(
            "percentiles of an output", "They would differ from tile to tile. Leave this step out."
        )
    return clip(arguments)


def scale_linear(arguments: Fields) -> Step:
    """Multiply by a gain and add an offset: one each, or one for each channel."""
    gain, offset = (
        by_channel(arguments, name, otherwise)
        for name, otherwise in (("gain", 1.0), ("offset", 0.0))
    )
    return lambda image: (image * gain + offset).astype(np.float32)


def fixed_zero_mean_unit_variance(arguments: Fields) -> Step:
    """Subtract a given mean, and divide by a given standard deviation."""
    mean, deviation = by_channel(arguments, "mean"), by_channel(arguments, "std")
    if (deviation <= 0).any():
        raise arguments.refuses("a std of 0 or less", "Write positive ones.")
    return lambda image: scaled(image, mean, deviation)


def binarize(arguments: Fields) -> Step:
    """Return 1 above a threshold and 0 elsewhere."""
    threshold = by_channel(arguments, "threshold")
    return lambda image: (image > threshold).astype(np.float32)


def ensure_dtype(arguments: Fields) -> Step:
    """Round values as another type does; they stay 32 bit floating point numbers."""
    dtype = arguments.text("dtype")
    if dtype not in DTYPES:
        raise arguments.refuses(f"dtype={dtype[:20]}", f"Write one of {', '.join(DTYPES)}.")

    def apply(image: Array) -> Array:
        with np.errstate(invalid="ignore", over="ignore"):
            return image.astype(dtype).astype(np.float32)

    return apply


def sigmoid(_: Fields) -> Step:
    """Return 1 / (1 + exp(-x))."""
    return lambda image: (0.5 * (1 + np.tanh(image / 2))).astype(np.float32)


def softmax(arguments: Fields) -> Step:
    """Return the softmax over the channels."""
    if (axis := arguments.text("axis", "channel")) not in ("channel", "c"):
        raise arguments.refuses(f"axis={axis[:20]}", "Write axis: channel.")

    def apply(image: Array) -> Array:
        grown = np.exp(image - image.max(0, keepdims=True))
        return grown / grown.sum(0, keepdims=True)

    return apply


OUTPUT = {
    "binarize": binarize, "clip": fixed_clip, "ensure_dtype": ensure_dtype,
    "fixed_zero_mean_unit_variance": fixed_zero_mean_unit_variance, "scale_linear": scale_linear,
    "sigmoid": sigmoid, "softmax": softmax,
}  # fmt: skip
IMAGE = OUTPUT | {
    "clip": clip, "scale_range": scale_range, "zero_mean_unit_variance": zero_mean_unit_variance,
}  # fmt: skip


def scaled(image: Array, low: Any, by: Any) -> Array:
    """Return (image - low) / by."""
    with np.errstate(over="ignore", invalid="ignore"):
        return ((image - low) / by).astype(np.float32)


def percentage(arguments: Fields, name: str, otherwise: float | None) -> Any:
    """Return a number from 0 to 100."""
    value = arguments.real(name, otherwise)
    if value is not None and not 0 <= value <= 100:
        raise arguments.refuses(f"{name}={value:g}", "Write a number from 0 to 100.")
    return value


def by_channel(arguments: Fields, name: str, *otherwise: float) -> Shaped[np.ndarray, "c 1 1"]:
    """Return a number for all channels, or one for each."""
    axis = arguments.text("axis", "channel")
    if axis not in ("channel", "c"):
        raise arguments.refuses(f"axis={axis[:20]}", "Write axis: channel, or one number for all.")
    return np.array(arguments.reals(name, *otherwise))[:, None, None]
