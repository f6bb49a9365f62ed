"""Overrides that Hydra takes and that would do nothing, or fail late: refused before the work."""

import inspect
from collections.abc import Iterator
from typing import Any

from hydra.utils import get_object
from omegaconf import DictConfig, OmegaConf

from unet_exp import schema
from unet_exp.commands.overrides import KINDS, unknown


class OverrideError(ValueError):
    """An override that Hydra took, but that means nothing or has another type."""


def check(cfg: DictConfig, command: str) -> None:
    """Hold a configuration against what Hydra does not check.

    These are values appended to a part (``+model.dpth=5``), and the types of the values that
    stand in the command's own file rather than in a signature (``seed=abc``).

    Raises
    ------
    OverrideError
        Naming the override, and the nearest right one.
    """
    tree = OmegaConf.to_container(cfg, resolve=False)
    for key, target, given in parts(tree):
        parameters = inspect.signature(get_object(target)).parameters
        if any(p.kind == p.VAR_KEYWORD for p in parameters.values()):
            continue
        for name in given:
            if not name.startswith("_") and name not in parameters:
                owner = target.rpartition(".")[2]
                siblings = [f"{key}.{other}" for other in parameters]
                raise OverrideError(unknown(f"{key}.{name}", given[name], siblings, owner))
    own = OmegaConf.to_container(OmegaConf.load(schema.CONF / f"{command}.yaml"))
    for key, kind, value in other_types(own, tree):
        given = "null" if value is None else value
        raise OverrideError(
            f"{key}={given} is not {KINDS[kind]}, as conf/{command}.yaml has there."
        )


def parts(tree: Any, key: str = "") -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield place, target and values of each part of a configuration that names a ``_target_``.

    >>> [found[:2] for found in parts({"loss": {"_target_": "a.B", "terms": [{}]}, "seed": 0})]
    [('loss', 'a.B')]
    """
    if isinstance(tree, dict) and isinstance(tree.get("_target_"), str):
        yield key, tree["_target_"], tree
    items = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for name, value in items:
        if isinstance(value, dict | list):
            yield from parts(value, f"{key}.{name}".lstrip("."))


def other_types(own: Any, given: Any, key: str = "") -> Iterator[tuple[str, type, Any]]:
    """Yield where a value has another type than in the command's file, with that type.

    >>> list(other_types({"seed": 0, "tags": []}, {"seed": "abc", "tags": ["a"]}))
    [('seed', <class 'int'>, 'abc')]
    """
    for name, value in own.items():
        place, now = f"{key}.{name}".lstrip("."), given.get(name)
        if name in ("defaults", "hydra") or value in (None, "???") or "${" in f"{value}{now}":
            continue
        if isinstance(value, dict) and isinstance(now, dict):
            yield from other_types(value, now, place)
        elif type(now) is not type(value) and not (type(value) is float and type(now) is int):
            yield place, type(value), now
