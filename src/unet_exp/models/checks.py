"""What networks refuse: options that they do not have, images of other channels."""

import math
from collections.abc import Collection

from torch import Tensor


def check_choice(name: str, value: str, choices: Collection[str]) -> None:
    """Raise ``ValueError`` unless ``value`` is one of ``choices``.

    >>> check_choice("padding", "reflect", ("valid", "same"))
    Traceback (most recent call last):
    ValueError: padding=reflect is unknown. Choose one of valid, same.
    """
    if value not in choices:
        raise ValueError(f"{name}={value} is unknown. Choose one of {', '.join(choices)}.")


def check_range(name: str, value: int | float, least: int, most: int | float = math.inf) -> None:
    """Raise ``ValueError`` unless ``least <= value <= most``.

    >>> check_range("depth", 0, 1, 7)
    Traceback (most recent call last):
    ValueError: depth=0 is out of range. Choose a value from 1 to 7.
    """
    if not least <= value <= most:
        span = f"{least} or more" if most == math.inf else f"from {least} to {most}"
        raise ValueError(f"{name}={value} is out of range. Choose a value {span}.")


def check_channels(image: Tensor, in_channels: int) -> None:
    """Raise ``ValueError`` unless images (b, c, h, w) have the channels that a network takes."""
    if image.shape[1] != in_channels:
        raise ValueError(
            f"The image has {image.shape[1]} channels and the network takes {in_channels}. "
            f"Build it with in_channels={image.shape[1]}."
        )
