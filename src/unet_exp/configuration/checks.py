"""Validate a configuration: refuse overrides that have no effect or would fail late."""

import difflib
import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from hydra.types import RunMode
from hydra.utils import get_object
from omegaconf import DictConfig, OmegaConf

from unet_exp.configuration.groups import GROUPS, content
from unet_exp.configuration.hints import RENAMED, OverrideError
from unet_exp.configuration.override_errors import KINDS, unknown
from unet_exp.configuration.overrides import Override
from unet_exp.configuration.trainer_options import require_free
from unet_exp.configuration.tree import is_under, walk

#: Parts of Hydra's configuration that only a sweep uses.
OF_A_SWEEP = ("hydra/sweeper", "hydra/launcher", "hydra.sweeper", "hydra.launcher", "hydra.sweep")
#: Default options of these groups, which the user has not chosen.
UNCHOSEN = {"hydra/launcher": ("basic",), "hydra/sweeper": ("basic", "grid")}


def validate(cfg: DictConfig, command: str) -> None:
    """Validate what Hydra does not check: added keys, and types of values without a signature.

    Hydra accepts any key with a plus (``+model.dpth=5``), and any type for the values of the
    command's own file (``seed=abc``).

    Raises OverrideError with the override, and the key that was probably meant.
    """
    tree = OmegaConf.to_container(cfg, resolve=False)
    own = content(command)
    known = [*own, *(name for name in GROUPS if "/" not in name), "experiment"]
    for key in map(str, cfg):
        if key in RENAMED:
            raise OverrideError(unknown(key, cfg[key], None))
        # A value that others refer to may have any name, except one that looks like a misspelling.
        near = () if key in known else difflib.get_close_matches(key, known, n=1, cutoff=0.8)
        if near:
            raise OverrideError(f"There is no {key}. Did you mean {near[0]}?")
    for part, group in GROUPS.items():
        if taken := [name for name in group.runtime if name in (cfg.get(part) or {})]:
            hint = " Give +callbacks.NAME._target_=CLASS." if taken[0] == "callbacks" else ""
            raise OverrideError(f"{part}.{taken[0]} cannot be given: a run sets it itself.{hint}")
    if command == "train" and (options := cfg.trainer.get("options")):
        require_free(options, [str(name) for name in cfg.trainer])
    for key, given in walk(tree):
        if not isinstance(given, dict) or not isinstance(target := given.get("_target_"), str):
            continue
        parameters = parameters_of(key, target)
        if any(p.kind == p.VAR_KEYWORD for p in parameters.values()):
            continue
        for name in given:
            if not name.startswith("_") and name not in parameters:
                owner = target.rpartition(".")[2]
                siblings = list(parameters)
                raise OverrideError(unknown(f"{key}.{name}", given[name], siblings, owner))
            # Later, when only the part is built, an error could not give the whole key.
            if given[name] == "???":
                raise OverrideError(f"{key}.{name} is not given. Add {key}.{name}=...")
    for key, kind, value in other_types(own, tree):
        given = "null" if value is None else value
        raise OverrideError(
            f"{key}={given} is not {KINDS[kind]}, as conf/{command}.yaml has there."
        )


def parameters_of(key: str, target: str) -> Mapping[str, inspect.Parameter]:
    """Return the parameters of a class or function that the configuration names, if importable."""
    try:
        found = get_object(target)
    except Exception as error:
        why = " ".join(str(error.__cause__ or error).split())
        raise OverrideError(
            f"{key}._target_={target} cannot be imported ({why}). Give the dotted path of a class "
            "or function. Start the command in the folder of a module of your own, or add that to "
            "PYTHONPATH."
        ) from error
    try:
        return inspect.signature(found).parameters
    except (TypeError, ValueError):  # some built-in ones have no signature
        return {"arguments": inspect.Parameter("arguments", inspect.Parameter.VAR_KEYWORD)}


def other_types(own: Any, given: Any, key: str = "") -> Iterator[tuple[str, type, Any]]:
    """Yield each key whose value has another type than in the command's file, with that type.

    >>> list(other_types({"seed": 0, "tags": []}, {"seed": "abc", "tags": ["a"]}))
    [('seed', <class 'int'>, 'abc')]
    """
    for name, value in own.items():
        path, now = f"{key}.{name}".lstrip("."), given.get(name)
        if name in ("defaults", "hydra") or value in (None, "???") or "${" in f"{value}{now}":
            continue
        if isinstance(value, dict) and isinstance(now, dict):
            yield from other_types(value, now, path)
        elif type(now) is not type(value) and not (type(value) is float and type(now) is int):
            yield path, type(value), now


def validate_single_run(hydra: Any) -> None:
    """Refuse settings that only a sweep uses, in a single run: ``hydra/launcher=ray``."""
    if hydra.mode != RunMode.RUN:
        return
    if params := hydra.sweeper.get("params"):
        named = ", ".join(f"{key}={value}" for key, value in params.items())
        raise OverrideError(
            f"hydra.sweeper.params names the values of several jobs ({named}), and this is a "
            "single run. Add -m (in a configuration file: hydra.mode: MULTIRUN), or leave them out."
        )
    typed = map(Override.parse, hydra.overrides.hydra)
    said = [one.text for one in typed if is_under(one.key, OF_A_SWEEP)]
    chosen = hydra.runtime.choices
    said += [f"{k}={chosen[k]}" for k, usual in UNCHOSEN.items() if chosen.get(k) not in usual]
    if said:
        raise OverrideError(
            f"{said[0]} is for sweeps, and this is a single run. Add -m and the values to try, or "
            "leave it out."
        )
