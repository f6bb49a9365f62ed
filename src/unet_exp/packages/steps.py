"""The steps of a package that change each pixel alone: those that its output may pass.

Formulas: https://bioimage-io.github.io/spec-bioimage-io, preprocessing and postprocessing.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float32, Shaped

from unet_exp.packages.fields import Fields

Array = Float32[np.ndarray, "c h w"]
Step = Callable[[Array], Array]

DTYPES = (
    "float32", "float64", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64",
    "bool",
)  # fmt: skip


def output_steps(described: Sequence[Fields], channels: int) -> list[Step]:
    """Return the steps of postprocessing, in order, for outputs with this number of channels.

    They are applied to tiles, so they may not use statistics of the image.

    Raises PackageError for a step that is not known, has wrong values, or needs the whole image.
    """
    return [step(one, OUTPUT, channels) for one in described]


def step(described: Fields, kinds: dict[str, Callable[[Fields], Step]], channels: int) -> Step:
    """Return a step, after a trial on a tiny image."""
    found, arguments = named(described, kinds)
    require_fitting(found, arguments, channels)
    return found


def named(described: Fields, kinds: dict[str, Callable[[Fields], Any]]) -> tuple[Any, Fields]:
    """Return the step that a description names, and its arguments."""
    kind = described.text("id")
    if kind not in kinds:
        raise described.refuses(
            f"the step {kind[:40]}", f"Only these are known here: {', '.join(sorted(kinds))}."
        )
    arguments = described.record("kwargs", {})
    return kinds[kind](arguments), arguments


def require_fitting(step: Step, arguments: Fields, channels: int) -> None:
    """Refuse a step that cannot be applied to so many channels."""
    shape = channels, 2, 2
    try:
        fits = step(np.zeros(shape, np.float32)).shape == shape
    except ValueError:
        fits = False
    if not fits:
        raise arguments.refuses(
            f"values that do not fit {channels} channels", "Give one, or one for each channel."
        )


def fixed_clip(arguments: Fields) -> Step:
    """Clip values to two numbers."""
    if {"min_percentile", "max_percentile"} & set(arguments.value):
        raise arguments.refuses(
            "percentiles of an output", "They would differ from tile to tile. Leave this step out."
        )
    low, high = arguments.real("min", None), arguments.real("max", None)
    return lambda image: clipped(image, low, high)


def scale_linear(arguments: Fields) -> Step:
    """Multiply by a gain and add an offset; both may differ between channels."""
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
    """Round values as in another type; they stay 32-bit floating point numbers."""
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


def clipped(image: Array, low: Any, high: Any) -> Array:
    """Replace values beyond two limits by them; None is no limit."""
    return np.clip(image, low, high).astype(np.float32)


def scaled(image: Array, low: Any, by: Any) -> Array:
    """Return (image - low) / by."""
    with np.errstate(over="ignore", invalid="ignore"):
        return ((image - low) / by).astype(np.float32)


def by_channel(arguments: Fields, name: str, *otherwise: float) -> Shaped[np.ndarray, "c 1 1"]:
    """Return one number for all channels, or one for each channel."""
    axis = arguments.text("axis", "channel")
    if axis not in ("channel", "c"):
        raise arguments.refuses(f"axis={axis[:20]}", "Write axis: channel, or one number for all.")
    return np.array(arguments.reals(name, *otherwise))[:, None, None]
