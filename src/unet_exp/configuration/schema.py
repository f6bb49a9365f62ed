"""Turn signatures of constructors into Hydra schemas, which refuse a wrong name or type at once.

For every ``conf/<group>/<option>.yaml`` with a ``_target_``, a structured config is stored as
``schema/<group>/<option>``. The option extends it in its defaults list. A parameter with a default
is a field. A parameter without a default is passed at run time, unless the option's file has it.
"""

import dataclasses
import inspect
import types
import typing
from collections.abc import Collection, Mapping
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from hydra.errors import InstantiationException
from hydra.utils import get_object, instantiate
from omegaconf import MISSING, OmegaConf

from unet_exp.configuration import signatures
from unet_exp.configuration.groups import GROUPS, content, options, targets
from unet_exp.configuration.source import UnreadableError
from unet_exp.files import folder_name

PRIMITIVES = (int, float, bool, str)


def field_type(annotation: Any) -> Any:
    """Return the part of an annotation that OmegaConf can check; ``Any`` for the rest.

    >>> field_type(int), field_type(float | None) == float | None
    (<class 'int'>, True)
    >>> field_type(list[int] | None) == list[int] | None
    True
    >>> from pathlib import Path
    >>> field_type(Path)
    typing.Any
    """
    if annotation in PRIMITIVES or annotation is types.NoneType:
        return annotation
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (types.UnionType, typing.Union):
        # A command line cannot give the Tensor of `float | Tensor`.
        known = [t for t in map(field_type, arguments) if t is not Any]
        values = [t for t in known if t is not types.NoneType]
        if not values or (len(values) > 1 and not set(values) <= set(PRIMITIVES)):
            return Any
        return typing.Union[tuple(known)]  # noqa: UP007
    if origin in (list, tuple) and all(a in PRIMITIVES or a is ... for a in arguments):
        return annotation
    return Any


def schema(target: str, stated: Collection[str] | Mapping[str, Any] = ()) -> type:
    """Return a dataclass of the parameters of ``target``, a dotted path, that have defaults.

    Parameters without a default are left out, unless they are in ``stated``, the values in the
    option's file. A parameter whose value in the file is null, or a reference to another value, may
    be null until the plan settles it.

    >>> node = OmegaConf.structured(schema("unet_exp.models.unet.UNet"))
    >>> node.depth = "five"
    Traceback (most recent call last):
    omegaconf.errors.ValidationError: Value 'five' of type 'str' could not be converted to Integer
        full_key: depth
        object_type=UNet
    """
    fields: list[tuple[str, Any, Any]] = [
        ("_target_", str, target),
        ("_partial_", bool, False),
    ]
    if "_recursive_" in stated:
        fields.append(("_recursive_", bool, True))
    values = stated.items() if isinstance(stated, Mapping) else ()
    later = [name for name, value in values if is_settled_later(value)]
    for parameter in parameters(target):
        name, default = parameter.name, parameter.default
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        kind = field_type(parameter.annotation)
        if kind is not Any and name in later:
            kind = kind | None
        if default is parameter.empty:
            if name in stated:
                fields.append((name, kind, MISSING))
            continue
        if isinstance(default, list | dict):
            value = dataclasses.field(default_factory=lambda d=default: d.copy())
        else:
            value = default
        known = default is None or isinstance(default, (*PRIMITIVES, list, tuple, dict))
        fields.append((name, kind if known else Any, value))
    return dataclasses.make_dataclass(target.rpartition(".")[2], fields)


def is_settled_later(value: Any) -> bool:
    """Tell whether a value in an option's file is null, or a reference to another value.

    >>> is_settled_later(None), is_settled_later("${trainer.max_steps}"), is_settled_later(4)
    (True, True, False)
    """
    return value is None or (isinstance(value, str) and value.startswith("${"))


def parameters(target: str) -> list[inspect.Parameter]:
    """Return the parameters of a function or class, from its source if possible."""
    try:
        return signatures.parameters(target)
    except UnreadableError:
        return imported(target)


def imported(target: str) -> list[inspect.Parameter]:
    """Import a function or class, and return its parameters."""
    function: Any = get_object(target)
    # In a signature, the default_factory of a data class appears as a placeholder.
    made = {
        name: field.default_factory()
        for name, field in getattr(function, "__dataclass_fields__", {}).items()
        if field.default_factory is not dataclasses.MISSING
    }
    found = []
    for one in inspect.signature(function).parameters.values():
        text = isinstance(one.annotation, str)
        annotation = signatures.parsed_type(one.annotation) if text else one.annotation
        default = made.get(one.name, one.default)
        found.append(one.replace(annotation=annotation, default=default))
    return found


def register() -> None:
    """Store a schema for each option of ``conf/`` that names a target, once per process."""
    OmegaConf.register_new_resolver("chosen", chosen, replace=True)
    OmegaConf.register_new_resolver("of_target", of_target, replace=True)
    OmegaConf.register_new_resolver("folder_name", folder_name, replace=True)
    store = ConfigStore.instance()
    if "schema" in store.repo:
        return
    for group in GROUPS:
        for option, target in targets(group).items():
            node = schema(target, stated_values(group, option))
            store.store(name=option, group=f"schema/{group}", node=node)


def stated_values(group: str, option: str) -> dict[str, Any]:
    """Return the values in an option's file, and the nulls of the options that extend it.

    >>> stated_values("model", "unet")["depth"] is None  # by unet_small
    True
    """
    values = dict(content(f"{group}/{option}"))
    for other in options(group):
        held = content(f"{group}/{other}")
        if held.get("defaults", [None])[0] == option:
            values |= {name: value for name, value in held.items() if value is None}
    return values


def chosen(group: str, *, _root_: Any) -> str:
    """Return the option chosen for a group, ``${chosen:dataset}`` in YAML.

    Hydra's ``${hydra:runtime.choices.dataset}`` fails where a sweep names its own folder. A
    configuration from ``hydra.compose`` has no part ``hydra``. In it, the name of the option is
    taken from the module of its class.
    """
    choices: Any = {}
    if "hydra" in _root_:
        choices = _root_.hydra.runtime.choices
    elif HydraConfig.initialized():  # that of the running command, which may lack the group
        choices = HydraConfig.get().runtime.choices
    if group in choices:
        return choices[group]
    return str(_root_[group]["_target_"]).split(".")[-2]


def of_target(name: str, *, _root_: Any) -> Any:
    """Return an attribute of the target, ``${of_target:out_channels}`` in YAML.

    With it, the network and the postprocessing adapt to the target.
    """
    try:
        target = instantiate(_root_.target)
    except InstantiationException as error:
        raise error.__cause__ or error from None  # the error of the target itself
    if not hasattr(target, name):
        raise ValueError(
            f"The target {type(target).__name__} has no {name!r}, which another option reads from "
            "it. Choose the target that this option is for (see --help)."
        )
    return getattr(target, name)
