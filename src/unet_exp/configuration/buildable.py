"""What a checkpoint may have built: options of ``conf/``, each where its own group stands.

A checkpoint may come from a stranger. Of its configuration only the parts in ``PARTS`` are kept.
Each of them builds an option of its own group, from plain values that the option's signature
knows. Where data lie, and where they come from, is for the user to say.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from unet_exp.configuration import schema

#: Parts of a configuration that are built from a checkpoint; each is an option of its group.
PARTS = ("dataset", "weight_map", "loader", "model", "loss", "inference", "postprocessing")
#: Groups of which a configuration holds several options, by names of their own.
NAMED = ("metric",)
#: Parameters of options that hold further options by name: of a weighted sum of losses, the terms.
INNER = {("loss", "terms"): "loss"}
#: Plain values that are kept besides.
VALUES = ("name", "seed", "monitor")
#: Values of a data set that say where it lies or comes from. A checkpoint's count for nothing.
SOURCES = (
    "data_dir", "root", "url", "sha256", "download", "archive_limit", "memory_limit",
)  # fmt: skip
#: Keys by which Hydra builds something; of these a checkpoint may have the first two.
TARGET, PARTIAL = "_target_", "_partial_"
#: How deep values may be nested, how many there may be in a list, and how large whole numbers.
DEEPEST, LONGEST, LARGEST = 10, 1000, 2**40


class NotBuildableError(ValueError):
    """A configuration that asks for more than an option's plain values."""


def buildable(config: Mapping[str, Any], trust: Collection[str] = ()) -> dict[str, Any]:
    """Return the part of a checkpoint's configuration that may be built.

    Parameters
    ----------
    config
        A resolved configuration, as plain data.
    trust
        Dotted paths of classes and functions that may be built besides, in any place.

    Raises
    ------
    NotBuildableError
        Naming the place, what stands there, and what may.
    """
    check = Checker(trust)
    kept: dict[str, Any] = {}
    for part in (*PARTS, *NAMED, *VALUES):
        if part not in config:
            raise NotBuildableError(f"it has no {part}, which every training records")
        if part in PARTS:
            check.option(part, part, config[part])
        elif part in NAMED:
            check.options(part, part, config[part])
        else:
            check.plain(part, config[part])
        kept[part] = config[part]
    if not isinstance(kept["monitor"], Mapping) or not isinstance(
        kept["monitor"].get("metric"), str
    ):
        raise NotBuildableError(f"monitor={brief(kept['monitor'])} names no metric")
    kept["dataset"] = without_sources(kept["dataset"])
    return kept


def without_sources(dataset: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a data set that say what it is, not where it lies; it loads nothing.

    >>> target = "unet_exp.datasets.folder.Folder"
    >>> without_sources({"_target_": target, "root": "my_images", "fold": 1})
    {'_target_': 'unet_exp.datasets.folder.Folder', 'fold': 1}
    """
    kept = {key: value for key, value in dataset.items() if key not in SOURCES}
    return {**kept, "download": False} if "download" in dataset else kept


class Checker:
    """Walks through a configuration, and refuses what is no plain value of an option.

    Parameters
    ----------
    trust
        Dotted paths that may be built in any place, by the user's word.
    """

    def __init__(self, trust: Collection[str] = ()) -> None:
        self.trust = set(map(str, trust))

    def options(self, place: str, group: str, node: Any) -> None:
        """Check a dictionary of options of one group, by names of their own."""
        if not isinstance(node, Mapping):
            raise NotBuildableError(f"{place}={brief(node)} holds no options of {group}")
        if group in NAMED and not node:
            raise NotBuildableError(f"{place} is empty")
        for name, option in node.items():
            self.key(place, name)
            self.option(f"{place}.{name}", group, option)

    def option(self, place: str, group: str, node: Any) -> None:
        """Check one option of a group: its target, and each value that it is built with."""
        if not isinstance(node, Mapping) or not isinstance(node.get(TARGET), str):
            raise NotBuildableError(f"{place}={brief(node)} is no option of {group}")
        target = node[TARGET]
        if target not in schema.targets(group) and target not in self.trust:
            raise NotBuildableError(
                f"{place}._target_={brief(target)} is no option of {group}. If you trust that "
                f"code, add trust=[{brief(target)}]"
            )
        given = {key: value for key, value in node.items() if key not in (TARGET, PARTIAL)}
        for key, value in given.items():
            self.key(place, key)
            if (group, key) in INNER:
                self.options(f"{place}.{key}", INNER[group, key], value)
            elif target in self.trust:
                self.trusted(f"{place}.{key}", value)
            else:
                self.plain(f"{place}.{key}", value)
        if not isinstance(node.get(PARTIAL, False), bool):
            raise NotBuildableError(f"{place}._partial_={brief(node[PARTIAL])} is no true or false")
        if target not in self.trust:
            fit(place, target, node)

    def trusted(self, place: str, value: Any) -> None:
        """Check a value of a class that the user trusts: in it, other trusted ones may stand."""
        for inner, node in nodes(place, value):
            target = node.get(TARGET)
            if TARGET in node and target not in self.trust:
                raise NotBuildableError(
                    f"{inner}._target_={brief(target)} is not trusted. If you trust that code, "
                    f"add trust=[{brief(target)}]"
                )
            if wrong := [key for key in node if str(key).startswith("_") and key != TARGET]:
                raise NotBuildableError(f"{inner}.{brief(wrong[0])} is no value of its class")
        self.plain(place, value, keys=False)

    def plain(self, place: str, value: Any, depth: int = 0, keys: bool = True) -> None:
        """Check that a value is plain data: numbers, texts, and lists and dictionaries of them."""
        if depth > DEEPEST:
            raise NotBuildableError(f"{place[:80]} is nested too deeply")
        if isinstance(value, Mapping | list | tuple) and len(value) > LONGEST:
            raise NotBuildableError(f"{place} holds {len(value)} values, more than {LONGEST}")
        if isinstance(value, Mapping):
            for key, inner in value.items():
                if keys:
                    self.key(place, key)
                self.plain(f"{place}.{key}", inner, depth + 1, keys)
        elif isinstance(value, list | tuple):
            for index, inner in enumerate(value):
                self.plain(f"{place}[{index}]", inner, depth + 1, keys)
        elif isinstance(value, str):
            if "${" in value:
                raise NotBuildableError(
                    f"{place}={brief(value)} is not plain data: it is looked up"
                )
        elif isinstance(value, int) and abs(value) > LARGEST:
            raise NotBuildableError(f"{place} is beyond {LARGEST}")
        elif not isinstance(value, bool | int | float | None):
            raise NotBuildableError(
                f"{place} is not plain data, but of type {type(value).__name__}"
            )

    def key(self, place: str, key: Any) -> None:
        """Check the name of a value: those that begin with ``_`` are orders to Hydra."""
        if isinstance(key, str) and not key.startswith("_"):
            return
        if key == TARGET:
            raise NotBuildableError(f"{place} builds something, where only a plain value may stand")
        raise NotBuildableError(f"{place} has a key {brief(key)}, which is no name of a value")


def nodes(place: str, value: Any) -> Iterator[tuple[str, Mapping[Any, Any]]]:
    """Yield each dictionary within a value, with its place."""
    if isinstance(value, Mapping):
        yield place, value
        for key, inner in value.items():
            yield from nodes(f"{place}.{key}", inner)
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from nodes(f"{place}[{index}]", inner)


def fit(place: str, target: str, node: Mapping[str, Any]) -> None:
    """Validate values by the signature of their class.

    Raises
    ------
    NotBuildableError
        If the class has no such value, or one of another type.
    """
    try:
        known = OmegaConf.structured(schema.schema(target, [str(key) for key in node]))
        OmegaConf.merge(known, dict(node))
    except OmegaConfBaseException as error:
        reason = str(error).splitlines()[0]
        raise NotBuildableError(f"{place} does not fit {target}: {reason}") from error


def brief(value: Any) -> str:
    """Return a value as a short text.

    >>> brief("os.system"), brief(["x"] * 100)
    ('os.system', 'a list')
    """
    plain = isinstance(value, str | int | float | None)
    return str(value)[:80] if plain else f"a {type(value).__name__}"
