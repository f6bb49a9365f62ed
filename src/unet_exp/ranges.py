"""Check the value of a parameter; the messages give the allowed values."""

import difflib
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Range:
    """The numbers from ``minimum`` to ``maximum``, both included.

    If there is no maximum, ``usual`` is a number that most values do not exceed.

    >>> Range(0, 1).end(0.5), Range(0, usual=100).end(0.5), Range(0, usual=100).end(300)
    (1, 100, 600)
    """

    minimum: float
    maximum: float = math.inf
    usual: float = 100

    def end(self, value: float) -> float:
        """Return the end of a slider that shows ``value``: the maximum, if there is one."""
        return self.maximum if self.maximum < math.inf else max(self.usual, 2 * value)


def require_choice(name: str, value: str, choices: Collection[str]) -> None:
    """Raise ``ValueError`` unless ``value`` is one of ``choices``.

    >>> require_choice("padding", "reflect", ("valid", "same"))
    Traceback (most recent call last):
    ValueError: padding=reflect is unknown. Choose one of valid, same.
    """
    if value not in choices:
        raise ValueError(f"{name}={value} is unknown. Choose one of {', '.join(choices)}.")


def did_you_mean(name: str, known: Collection[str], prefix: str = "") -> str:
    """Return the end of a message with the known name that is most similar to a misspelt one.

    >>> did_you_mean("tabel", ("table", "rois")), did_you_mean("x", ("table",))
    (' Did you mean table?', '')
    >>> did_you_mean("unett", ("unet",), prefix="model=")
    ' Did you mean model=unet?'
    """
    near = difflib.get_close_matches(name, known, n=1)
    return f" Did you mean {prefix}{near[0]}?" if near else ""


def require_range(minimum: float, maximum: float = math.inf, /, **values: float) -> None:
    """Raise ``ValueError`` unless each value is between ``minimum`` and ``maximum``.

    >>> require_range(1, 7, depth=0)
    Traceback (most recent call last):
    ValueError: depth=0 is out of range. Choose a value from 1 to 7.
    """
    for name, value in values.items():
        if not minimum <= value <= maximum:
            span = f"{minimum} or more" if maximum == math.inf else f"from {minimum} to {maximum}"
            raise ValueError(f"{name}={value} is out of range. Choose a value {span}.")


def require_ranges(ranges: Mapping[str, Range], holder: Any) -> None:
    """Raise ``ValueError`` unless each attribute in ``ranges`` is within its range."""
    for name, allowed in ranges.items():
        require_range(allowed.minimum, allowed.maximum, **{name: getattr(holder, name)})
