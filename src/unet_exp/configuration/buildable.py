"""Decide which part of a checkpoint's configuration may be built.

A checkpoint may come from a stranger. Only the groups that ``GROUPS`` marks are kept. Each of them
builds an option of its own group, from plain values that the option's signature has. Only the user
chooses the folder of the data, and the address for a download.
"""

from collections.abc import Collection, Mapping
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from unet_exp.configuration import schema
from unet_exp.configuration.groups import GROUPS, targets
from unet_exp.configuration.tree import walk

#: Groups that are built from a checkpoint: those with one option, and those with several.
PARTS = tuple(n for n, group in GROUPS.items() if group.in_checkpoint and not group.several)
SEVERAL = tuple(n for n, group in GROUPS.items() if group.in_checkpoint and group.several)
#: Parameters that contain several options: a weighted sum of losses contains its terms.
INNER = {("loss", "terms"): "loss"}
#: Parameters that contain one option: a padded network contains another network.
WRAPPED = {("model", "network"): "model"}
#: Plain values that are kept too.
VALUES = ("name", "seed", "monitor")
#: Values of a data set with its folder or address. They are not taken from a checkpoint.
SOURCES = (
    "data_dir", "root", "url", "sha256", "download", "archive_limit", "memory_limit",
)  # fmt: skip
#: The usual reason why a file of our own does not fit.
OTHER = "If another version of unet_exp wrote it, use that version, or train again"
#: Keys by which Hydra builds something. A checkpoint may have these two and no others.
TARGET, PARTIAL = "_target_", "_partial_"
#: Limits: levels of nesting, values in a list or dictionary, size of a whole number.
DEEPEST, LONGEST, LARGEST = 10, 1000, 2**40


class NotBuildableError(ValueError):
    """A configuration contains more than plain values of known options."""


def buildable(config: Mapping[str, Any], trust: Collection[str] = ()) -> dict[str, Any]:
    """Return the part of a checkpoint's configuration that may be built.

    Parameters
    ----------
    config
        A resolved configuration, as plain data.
    trust
        Dotted paths of further classes and functions that may be built anywhere.

    Raises NotBuildableError with the key, its value, and the allowed values.
    """
    check = Checker(trust)
    kept: dict[str, Any] = {}
    for part in (*PARTS, *SEVERAL, *VALUES):
        if part not in config:
            raise NotBuildableError(f"it has no {part}, which every training records. {OTHER}")
        if part in PARTS:
            check.option(part, part, config[part])
        elif part in SEVERAL:
            check.options(part, part, config[part])
        else:
            check.plain(part, config[part])
        kept[part] = config[part]
    monitor = kept["monitor"]
    if not isinstance(monitor, Mapping) or not isinstance(monitor.get("metric"), str):
        raise NotBuildableError(f"monitor={brief(monitor)} names no metric")
    kept["dataset"] = without_sources(kept["dataset"])
    return kept


def without_sources(dataset: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a data set without its folder and address; it then downloads nothing.

    >>> target = "unet_exp.datasets.folder.Folder"
    >>> without_sources({"_target_": target, "root": "my_images", "fold": 1})
    {'_target_': 'unet_exp.datasets.folder.Folder', 'fold': 1}
    """
    kept = {key: value for key, value in dataset.items() if key not in SOURCES}
    return {**kept, "download": False} if "download" in dataset else kept


class Checker:
    """Refuse everything that is not a plain value of an option."""

    def __init__(self, trust: Collection[str] = ()) -> None:
        self.trust = set(map(str, trust))

    def options(self, key: str, group: str, node: Any) -> None:
        """Check a dictionary of options of one group by name."""
        if not isinstance(node, Mapping):
            raise NotBuildableError(f"{key}={brief(node)} holds no options of {group}")
        for name, option in node.items():
            self.name(key, name)
            self.option(f"{key}.{name}", group, option)

    def option(self, key: str, group: str, node: Any) -> None:
        """Check one option of a group: its target and each of its values."""
        if not isinstance(node, Mapping) or not isinstance(node.get(TARGET), str):
            raise NotBuildableError(f"{key}={brief(node)} is no option of {group}")
        target = node[TARGET]
        if target not in targets(group).values() and target not in self.trust:
            if target.startswith("unet_exp."):
                raise NotBuildableError(
                    f"{key}._target_={brief(target)} is no option of {group}. {OTHER}"
                )
            raise NotBuildableError(
                f"{key}._target_={brief(target)} is no option of {group}. If you trust that "
                f"code, add trust=[{brief(target)}]"
            )
        for name, value in node.items():
            if name in (TARGET, PARTIAL):
                continue
            self.name(key, name)
            if (group, name) in INNER:
                self.options(f"{key}.{name}", INNER[group, name], value)
            elif (group, name) in WRAPPED:
                self.option(f"{key}.{name}", WRAPPED[group, name], value)
            elif target in self.trust:
                self.trusted(f"{key}.{name}", value)
            else:
                self.plain(f"{key}.{name}", value)
        if not isinstance(node.get(PARTIAL, False), bool):
            raise NotBuildableError(f"{key}._partial_={brief(node[PARTIAL])} is not true or false")
        if target not in self.trust:
            require_fit(key, target, node)

    def trusted(self, key: str, value: Any) -> None:
        """Check a value of a trusted class: it may hold other trusted classes."""
        self.plain(key, value, names=False)
        for inner, node in walk(value, key):
            if not isinstance(node, Mapping):
                continue
            if TARGET in node and (target := node[TARGET]) not in self.trust:
                raise NotBuildableError(
                    f"{inner}._target_={brief(target)} is not trusted. If you trust that code, "
                    f"add trust=[{brief(target)}]"
                )
            if wrong := [name for name in node if str(name).startswith("_") and name != TARGET]:
                raise NotBuildableError(f"{inner}.{brief(wrong[0])} is no value of its class")

    def plain(self, key: str, value: Any, names: bool = True) -> None:
        """Check that a value is plain data: numbers, texts, lists and dictionaries of them."""
        for inner, node in walk(value, key):
            if inner.count(".") + inner.count("[") - key.count(".") - key.count("[") > DEEPEST:
                raise NotBuildableError(f"{inner[:80]} is nested too deeply")
            if isinstance(node, Mapping | list | tuple):
                if len(node) > LONGEST:
                    raise NotBuildableError(f"{inner} has {len(node)} values, more than {LONGEST}")
                for name in node if names and isinstance(node, Mapping) else ():
                    self.name(inner, name)
            elif isinstance(node, str) and "${" in node:
                raise NotBuildableError(f"{inner}={brief(node)} is not plain data: it is looked up")
            elif isinstance(node, int) and abs(node) > LARGEST:
                raise NotBuildableError(f"{inner} is beyond {LARGEST}")
            elif not isinstance(node, str | bool | int | float | None):
                raise NotBuildableError(
                    f"{inner} is not plain data, but of type {type(node).__name__}"
                )

    def name(self, key: str, name: Any) -> None:
        """Check the name of a value. Hydra interprets names that begin with ``_``."""
        if isinstance(name, str) and not name.startswith("_"):
            return
        if name == TARGET:
            raise NotBuildableError(f"{key} builds something, where only a plain value may stand")
        raise NotBuildableError(f"{key} has a key {brief(name)}, which is no name of a value")


def require_fit(key: str, target: str, node: Mapping[str, Any]) -> None:
    """Refuse values whose name or type does not match the signature of their class."""
    try:
        known = OmegaConf.structured(schema.schema(target, [str(name) for name in node]))
        OmegaConf.merge(known, dict(node))
    except OmegaConfBaseException as error:
        reason = str(error).splitlines()[0]
        raise NotBuildableError(f"{key} does not fit {target}: {reason}. {OTHER}") from error


def brief(value: Any) -> str:
    """Return a value as a short text.

    >>> brief("os.system"), brief(["x"] * 100)
    ('os.system', 'a list')
    """
    plain = isinstance(value, str | int | float | None)
    return str(value)[:80] if plain else f"a {type(value).__name__}"
