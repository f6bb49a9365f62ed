"""Checks of a parameter's value, with messages that name the values it may take."""

import math
from collections.abc import Collection


def require_choice(name: str, value: str, choices: Collection[str]) -> None:
    """Raise ``ValueError`` unless ``value`` is one of ``choices``.

    >>> require_choice("padding", "reflect", ("valid", "same"))
    Traceback (most recent call last):
    ValueError: padding=reflect is unknown. Choose one of valid, same.
    """
    if value not in choices:
        raise ValueError(f"{name}={value} is unknown. Choose one of {', '.join(choices)}.")


def require_range(minimum: float, maximum: float = math.inf, /, **values: float) -> None:
    """Raise ``ValueError`` unless each value lies between ``minimum`` and ``maximum``.

    >>> require_range(1, 7, depth=0)
    Traceback (most recent call last):
    ValueError: depth=0 is out of range. Choose a value from 1 to 7.
    """
    for name, value in values.items():
        if not minimum <= value <= maximum:
            span = f"{minimum} or more" if maximum == math.inf else f"from {minimum} to {maximum}"
            raise ValueError(f"{name}={value} is out of range. Choose a value {span}.")
