"""Read values of a description that may come from an enemy, and check their types."""

import math
from collections.abc import Mapping
from typing import Any

from unet_exp.configuration.buildable import brief
from unet_exp.packages.archive import PackageError

NEEDED: Any = object()
#: Largest number of entries of a list in a description.
MOST = 10000


class Fields:
    """A mapping in a description, with its position for messages.

    >>> Fields({"halo": 16}, "rdf.yaml").number("halo", 0, 1000)
    16
    >>> Fields({"halo": "all"}, "rdf.yaml").number("halo", 0, 1000)
    Traceback (most recent call last):
    unet_exp.packages.archive.PackageError: rdf.yaml has halo=all. Write a whole number from 0 to...
    """

    def __init__(self, value: Any, where: str) -> None:
        if not isinstance(value, Mapping):
            raise PackageError(f"{where} has {brief(value)}. Write fields there: name: value.")
        self.value, self.where = value, where

    def refuses(self, fact: str, remedy: str) -> PackageError:
        """Return an error with the fact and the remedy."""
        return PackageError(f"{self.where} has {fact}. {remedy}")

    def _get(self, name: str, otherwise: Any) -> Any:
        value = self.value.get(name)
        value = otherwise if value is None else value
        if value is NEEDED:
            raise self.refuses(f"no {name}", "Complete the description.")
        return value

    def record(self, name: str, otherwise: Any = NEEDED) -> "Fields":
        """Return the mapping below a name."""
        return Fields(self._get(name, otherwise), f"{self.where}, {name},")

    def several(self, name: str, otherwise: Any = NEEDED) -> list[Any]:
        """Return the list below a name."""
        value = self._get(name, otherwise)
        if not isinstance(value, list) or len(value) > MOST:
            raise self.refuses(f"{name}={brief(value)}", f"Write a list of up to {MOST} entries.")
        return value

    def records(self, name: str, otherwise: Any = NEEDED) -> list["Fields"]:
        """Return the mappings in a list."""
        where = f"{self.where}, {name}"
        return [
            Fields(one, f"{where}[{number}],")
            for number, one in enumerate(self.several(name, otherwise))
        ]

    def text(self, name: str, otherwise: Any = NEEDED) -> str:
        """Return a text."""
        value = self._get(name, otherwise)
        if not isinstance(value, str):
            raise self.refuses(f"{name}={brief(value)}", "Write a text.")
        return value

    def number(self, name: str, least: int, most: int, otherwise: Any = NEEDED) -> int:
        """Return a whole number within limits."""
        value = self._get(name, otherwise)
        if type(value) is not int or not least <= value <= most:
            raise self.refuses(
                f"{name}={brief(value)}", f"Write a whole number from {least} to {most}."
            )
        return value

    def real(self, name: str, otherwise: Any = NEEDED) -> Any:
        """Return a finite number; ``otherwise`` may be None."""
        value = self._get(name, otherwise)
        if value is None:
            return None
        if type(value) not in (int, float) or not math.isfinite(value):
            raise self.refuses(f"{name}={brief(value)}", "Write a finite number.")
        return float(value)

    def reals(self, name: str, otherwise: Any = NEEDED) -> list[float]:
        """Return a list of finite numbers; a single number is a list of one."""
        value = self._get(name, otherwise)
        several = value if isinstance(value, list) else [value]
        return [Fields({name: one}, self.where).real(name) for one in several[:MOST]]
