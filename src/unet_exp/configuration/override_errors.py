"""Explain a wrong override: turn an error of Hydra or OmegaConf into a message with a remedy."""

import difflib
import re
from collections.abc import Sequence
from typing import Any

from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig
from omegaconf.errors import (
    ConfigAttributeError,
    ConfigKeyError,
    InterpolationToMissingValueError,
    MissingMandatoryValue,
    OmegaConfBaseException,
    ValidationError,
)

from unet_exp.configuration import groups, written
from unet_exp.configuration.hints import MEANT, RENAMED, hint, owners
from unet_exp.configuration.hints import groups as chosen_groups
from unet_exp.ranges import did_you_mean

#: The type of a node of OmegaConf, or a type of Python, in plain words.
KINDS = {
    "IntegerNode": "a whole number",
    "FloatNode": "a number",
    "BooleanNode": "true or false",
    "StringNode": "text",
    "ListConfig": "a list, such as [1,2]",
    "DictConfig": "keys with values, such as {a:1}",
    **written.KINDS,
    list: "a list, such as [1,2]",
    dict: "keys with values, such as {a:1}",
}

#: OmegaConf puts this before the message of a resolver of ours, such as ``${out_channels:}``.
RESOLVING = "ValueError raised while resolving interpolation: "


def explain_override(chain: Sequence[BaseException], command: str | None) -> str | None:
    """Explain what is wrong with an override; return None if the error has another subject.

    ``chain`` holds an exception and its causes.
    """
    told = next((e for e in chain if isinstance(e, OmegaConfBaseException)), chain[0])
    if isinstance(told, MissingConfigException):
        return no_option(told)
    if isinstance(told, OverrideParseException):
        return (
            f"'{told.override}' cannot be read. Write key=value, for example model.depth=5, with "
            "brackets closed and special characters in quotes."
        )
    if isinstance(told, MissingMandatoryValue | InterpolationToMissingValueError):
        missing = re.search(r"(?:mandatory value: |node ')([\w.]+)", str(told))
        name = missing[1] if missing else told.full_key
        return f"{name} is not given. Add {name}=..., or see what is needed with --help."
    override = re.search(r"(?:override '|merging override )([^\s']+)", str(chain[0]))
    if isinstance(told, ConfigKeyError | ConfigAttributeError) and told.key is not None:
        key, value = str(told.full_key), told.value
        owner = None if told.object_type in (dict, None) else told.object_type_str
        names = map(str, told.parent_node) if isinstance(told.parent_node, DictConfig) else ()
        siblings = [name for name in names if not name.startswith("_")]
        pasted = re.search(r"use \+(\S+?)=(.*)", str(chain[0]))
        if pasted and (owner is None or pasted[1] == key):
            siblings = siblings if pasted[1] == key else None
            key, value = pasted[1], pasted[2]
        return unknown(key, value, siblings, owner, command)
    if isinstance(told, ValidationError) and told.full_key:
        given = override[1] if override else f"{told.full_key}={told.value}"
        return wrong_type(given, told)
    if isinstance(told, OmegaConfBaseException) and first_line(told).startswith(RESOLVING):
        return first_line(told).removeprefix(RESOLVING)
    if isinstance(told, OmegaConfBaseException):
        return f"{first_line(told)} ({told.full_key})." if told.full_key else first_line(told)
    quoted = re.findall(r"'(.*?)'", str(told))
    if isinstance(told, HydraException) and "No match in the defaults list" in str(told):
        return no_group(quoted[0])
    if isinstance(told, HydraException) and "Ambiguous value" in str(told):
        return f"{quoted[0]} names several values. Add -m to run each, or write a list as [a,b]."
    if isinstance(told, HydraException) and "requires --multirun" in str(told):
        return f"{quoted[0]} names several values. Add -m to run each of them."
    if any(str(error).startswith("Config group override must be") for error in chain):
        return (
            "A group takes the name of an option, and not null or a number. Some groups have the "
            "option none: logger=none, augmentation=none. See the options with --help."
        )
    return None


def no_option(error: MissingConfigException) -> str:
    """List the options of a group, and suggest the most similar one."""
    group, _, option = (error.missing_cfg_file or "").rpartition("/")
    if not group:
        return f"There is no configuration {option}; those here are in {groups.CONF}."
    options = list(error.options or groups.options(group))
    hint = did_you_mean(option, options, prefix=f"{group}=")
    return f"There is no {group}={option}.{hint} Options of {group}: {', '.join(options)}."


def no_group(group: str) -> str | None:
    """Return a message: the group exists only within another option, which is not chosen.

    >>> no_group("hydra/sweeper/sampler")
    'hydra/sweeper/sampler is a part of hydra/sweeper=optuna. Add hydra/sweeper=optuna, or ...'
    """
    above, _, name = group.partition("@")[0].rpartition("/")
    owning = [one for one in groups.options(above) if name in chosen_groups(f"{above}/{one}")]
    if not owning:
        return None
    option = f"{above}={owning[0]}"
    return f"{group} is a part of {option}. Add {option}, or leave {group} out."


def unknown(
    key: str,
    value: Any,
    siblings: Sequence[str] | None,
    owner: str | None = None,
    command: str | None = None,
) -> str:
    """Return a message: there is no such key, and which one was probably meant.

    ``siblings`` are the other names in the same part; None if this part does not exist. With a
    ``command``, keys of other parts and of other commands are suggested too.

    >>> unknown("model.dpth", 5, ["depth", "norm"], "UNet")
    'There is no model.dpth: UNet has no such parameter. Did you mean model.depth=5?'
    >>> unknown("depth", 5, ["model", "loss"], command="train")
    'There is no depth. Did you mean model.depth=5?'
    """
    fact = f"There is no {key}" + (f": {owner} has no such parameter." if owner else ".")
    if key in RENAMED:
        return f"{fact} Its name is now {RENAMED[key]}: give {RENAMED[key]}={value}."
    above, _, name = key.rpartition(".")
    group, _, option = above.partition(".")
    if siblings is None and option in groups.options(group):
        return f"{fact} Choose it first: {group}={option}."
    if above and (beside := difflib.get_close_matches(name, siblings or (), n=1)):
        given = "" if value is None else f"={value}"
        return f"{fact} Did you mean {above}.{beside[0]}{given}?"
    if owner and (elsewhere := owners(key)):
        return f"{fact} It belongs to {' or '.join(elsewhere[:3])}."
    if above and siblings == [] and not owner:  # a part without fixed keys
        return f"{fact} To add it, put a plus before: +{key}={value}."
    if command and not key.startswith("hydra.") and (not owner or name in MEANT[command]):
        return f"{fact} {hint(key, value, command) or 'See what there is with --cfg job.'}"
    if owner and siblings:
        return f"{fact} It has {', '.join(siblings)}."
    return f"{fact} See what there is with --cfg job."


def wrong_type(given: str, error: ValidationError) -> str:
    """Return a message with the type that a value must have."""
    kind = KINDS.get(type(error.child_node).__name__)
    hint = re.search(r"type hint '(?:Union|Optional)?\[?(.*?)\]?'", str(error))
    if kind is None and hint:
        names = {"int": int, "float": float, "str": str, "bool": bool}
        kind = " or ".join(str(KINDS.get(names.get(n, n), n)) for n in hint[1].split(", "))
    if kind is None:
        return f"{given} does not fit: {first_line(error)}."
    owner = error.object_type_str if error.object_type not in (dict, None) else "the configuration"
    return f"{given} is not {kind}, which {owner} needs there."


def first_line(error: BaseException) -> str:
    """Return the first line of an exception's message."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
