"""Change values in the configuration of a trained network."""

from collections.abc import Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf

from unet_exp.configuration import schema
from unet_exp.configuration.groups import CHANGEABLE, FIXED


def revised(held: dict[str, Any], cfg: DictConfig) -> DictConfig:
    """Return a checkpoint's configuration, changed by the values of ``cfg``.

    A chosen option (``postprocessing=watershed``) replaces the whole part. A single value
    (``+postprocessing.threshold=0.4``) replaces only this value.

    Raises OmegaConfBaseException if the part has no such value or one of another type, and
    ValueError if training has fixed the part.
    """
    if wrong := [part for part in FIXED if part in held and cfg.get(part)]:
        raise ValueError(
            f"{wrong[0]} was fixed in training, so it cannot be changed now. What can be: "
            f"{', '.join(CHANGEABLE)}."
        )
    if cfg.get("data_dir"):
        held = {**held, "data_dir": cfg.data_dir}
        dataset = held.get("dataset", {})
        target = dataset.get("_target_")  # a package names no data set
        if target and "data_dir" in {one.name for one in schema.parameters(target)}:
            held["dataset"] = {**dataset, "data_dir": cfg.data_dir}
    config = DictConfig(held)
    for part in CHANGEABLE:
        changes = OmegaConf.to_container(cfg[part]) if cfg.get(part) else {}
        nodes = {part: (held[part], changes)} if changes else {}
        if part == "metric" and isinstance(changes, dict):
            require_removable(held[part], changes)
            nodes = {f"{part}.{k}": (held[part].get(k, {}), v) for k, v in changes.items() if v}
            for name in (name for name, change in changes.items() if change is None):
                del config[part][name]
        for key, (old, new) in nodes.items():
            OmegaConf.update(config, key, merged(key, old, new), merge=False)
    return config


def require_removable(held: Mapping[str, Any], changes: Mapping[Any, Any]) -> None:
    """Refuse to remove a metric that does not exist.

    Raises ValueError with the metrics that exist.
    """
    removed = [name for name, change in changes.items() if change is None]
    if unknown := [name for name in removed if name not in held]:
        raise ValueError(
            f"There is no metric.{unknown[0]} to take away. There are {', '.join(held)}."
        )


def merged(key: str, held: dict[str, Any], change: Any) -> Any:
    """Return a part with changed values; its schema refuses wrong names and types.

    >>> part = {"_target_": "unet_exp.postprocessing.components.Components", "threshold": 0.5}
    >>> merged("postprocessing", part, {"treshold": 0.4})
    Traceback (most recent call last):
    omegaconf.errors.ConfigKeyError: Key 'treshold' not in 'Components'
        full_key: postprocessing.treshold
        object_type=Components
    """
    if not isinstance(change, dict):
        raise ValueError(f"{key}={change} is no part. Give one of its values: {key}.NAME=VALUE.")
    if "_target_" in change:
        held, change = {}, settled(held, change)
    target = {**held, **change}.get("_target_")
    if target is None:
        raise ValueError(f"The checkpoint has no {key}. Choose an option: {key}=NAME.")
    node: Any = OmegaConf.structured(schema.schema(target, {*held, *change}))
    # The part is nested below its key, so that an error gives the whole key.
    for name in reversed(key.split(".")):
        node, held, change = {name: node}, {name: held}, {name: change}
    return OmegaConf.select(OmegaConf.merge(node, held, change), key)


def settled(held: Mapping[str, Any], option: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of an option; null values, left to the plan, come from ``held`` if there.

    >>> components = {"_target_": "unet_exp.postprocessing.components.Components", "min_size": None}
    >>> settled({"min_size": 9, "min_seed": 3}, components)["min_size"]
    9
    """
    defaults = {one.name: one.default for one in schema.parameters(option["_target_"])}
    planned = [k for k, v in option.items() if v is None and defaults.get(k) is not None]
    return {
        **{key: value for key, value in option.items() if key not in planned},
        **{key: held[key] for key in planned if key in held},
    }
