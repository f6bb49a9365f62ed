"""Checks of the arguments of metrics, for one image or for a batch."""

from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any

from torch import Tensor

#: Number of dimensions of one image's arguments, by their names in ``update``.
DIMENSIONS = {"probabilities": 3, "classes": 2, "labels": 2, "markers": 2, "instances": 2}
#: Probabilities of low precision may be this far outside 0 to 1.
ROUNDING = 1e-2
SHAPES = {3: "(classes, height, width)", 2: "(height, width)"}


def image_by_image(update: Callable[..., None]) -> Callable[..., None]:
    """Make the ``update`` of a metric, written for one image, accept a batch as well.

    In a batch, each argument has one additional first dimension, as in torchmetrics. The images are
    passed to ``update`` one by one.

    Raises ValueError if shapes are wrong or differ, or if ``probabilities`` have a single class or
    values outside 0 to 1. Raises TypeError if ``probabilities`` are integers, or if any other
    argument does not consist of integers.
    """
    named = signature(update)

    @wraps(update)
    def checked(self: Any, *args: Any, **kwargs: Any) -> None:
        given = named.bind(self, *args, **kwargs).arguments
        images = {name: given[name] for name in DIMENSIONS if name in given}
        others = {name: value for name, value in given.items() if name not in images}
        if not images or not _is_batch(images):
            update(**others, **images)
            return
        for number in range(len(next(iter(images.values())))):
            update(**others, **{name: stack[number] for name, stack in images.items()})

    return checked


def check_images(prediction: Tensor, truth: Tensor, batch: str = "") -> None:
    """Raise ``TypeError`` or ``ValueError`` unless two label images can be compared.

    Parameters
    ----------
    batch
        For functions of a single image: the metric that a message suggests for several images.
    """
    _check_whole("prediction", prediction)
    _check_whole("truth", truth)
    if prediction.shape != truth.shape:
        raise ValueError(
            f"The prediction is of shape {tuple(prediction.shape)}, the truth of "
            f"{tuple(truth.shape)}. Give both of one shape."
        )
    if batch and prediction.ndim != 2:
        raise ValueError(
            f"Label images of shape {tuple(prediction.shape)} are not one image of "
            f"{SHAPES[2]}: objects of several images would be mixed up. Score each by itself, or "
            f"update {batch} with them, which takes a batch too."
        )


def _is_batch(images: dict[str, Tensor]) -> bool:
    for name, value in images.items():
        if name == "probabilities":
            if not value.is_floating_point():
                raise TypeError(
                    f"probabilities are of type {value.dtype}. Give the probability of every "
                    "class as floats; label images go to measures that take instances."
                )
        else:
            _check_whole(name, value)
    extra = {name: value.ndim - DIMENSIONS[name] for name, value in images.items()}
    shapes = ", ".join(f"{name} {tuple(value.shape)}" for name, value in images.items())
    if set(extra.values()) not in ({0}, {1}):
        wanted = ", ".join(f"{name} {SHAPES[DIMENSIONS[name]]}" for name in images)
        raise ValueError(
            f"A measure got {shapes}. Give {wanted}, or all of them with one further dimension "
            "in front, for a batch."
        )
    batch = 1 in extra.values()
    sizes = {(value.shape[0] if batch else 1, *value.shape[-2:]) for value in images.values()}
    if len(sizes) > 1:
        raise ValueError(f"A measure got {shapes}. Give all of one height, width and batch size.")
    if "probabilities" in images and images["probabilities"].shape[-3] < 2:
        raise ValueError(
            f"A measure got {shapes}. Give the probability of each class, background first; of "
            "the foreground's p alone, that is torch.stack([1 - p, p], dim=-3)."
        )
    if "probabilities" in images:
        _check_probabilities(images["probabilities"])
    return batch


def _check_probabilities(value: Tensor) -> None:
    """Raise ``ValueError`` for logits and NaN; rounded values may exceed 1 slightly."""
    if not value.numel():
        return
    least, most = (float(one) for one in value.aminmax())
    if not -ROUNDING <= least <= most <= 1 + ROUNDING:  # NaN is neither
        raise ValueError(
            f"The probabilities go from {least:g} to {most:g}, and not from 0 to 1. Of logits, "
            "give softmax(dim=-3)."
        )


def _check_whole(name: str, value: Tensor) -> None:
    if value.is_floating_point() or value.is_complex():
        raise TypeError(
            f"The {name} is of type {value.dtype}, but regions and classes are whole numbers. "
            "Threshold or label probabilities first."
        )
