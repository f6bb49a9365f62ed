"""Describe every group, option and value, for ``--help`` and for the reference.

The texts are not written here. Summaries and meanings come from the docstrings of constructors and
from the comments in ``conf/``, defaults from both, and choices and ranges from the checks in the
constructors. The module of an option is not imported if its source can be read.

>>> model = next(group for group in groups("train") if group.name == "model")
>>> unet = next(option for option in model.options if option.name == "unet")
>>> unet.summary
"The article's network, figure 1."
>>> depth = next(value for value in unet.values if value.name == "model.depth")
>>> depth.default, depth.range, depth.meaning
('4', '1 to 7', 'Number of 2 x 2 max poolings.')
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from unet_exp.configuration import hints, limits
from unet_exp.configuration.docstrings import SENTENCE_END, docstring
from unet_exp.configuration.groups import CONF, GROUPS, content
from unet_exp.configuration.option_files import (
    CommentedYaml,
    Folders,
    chain,
    option_names,
    read,
    stated,
)
from unet_exp.configuration.schema import parameters
from unet_exp.configuration.written import kind_of, typed

#: Summaries of groups whose options are not built alone.
OTHER_GROUPS = {
    "hydra/sweeper/sampler": "How a search chooses the values of the next job.",
    "hydra/sweeper/pruner": "Which jobs a search stops before their end.",
    "experiment": "Complete settings for a data set or an article.",
    "sweep": "Ready-made sweeps.",
}


@dataclass(frozen=True)
class Value:
    """One value of the configuration, such as ``model.depth``."""

    name: str
    """Its dotted key, as in an override."""
    default: str
    """Its default, as in an override. A reference is as in YAML: ``${seed}``. Empty: required."""
    is_planned: bool = False
    """Whether the default, null, is replaced by a value that follows from the images."""
    kind: str = ""
    """``a whole number``, ``a number or null``, ...; empty if the signature does not tell."""
    choices: tuple[str, ...] = ()
    """The allowed values; empty if there is no fixed set."""
    range: str = ""
    """``1 to 7`` or ``0 or more``; empty if the constructor checks no range."""
    meaning: str = ""
    """Its description, from the docstring, or for a command's value from the comment above it."""
    note: str = ""
    """The comment about its default in the option's file."""


@dataclass(frozen=True)
class Option:
    """One file of a group, such as ``model=unet``."""

    group: str
    name: str
    folders: Folders = (CONF,)

    @property
    def typed(self) -> str:
        """The override that chooses it."""
        return f"{self.group}={self.name}"

    @cached_property
    def files(self) -> tuple[CommentedYaml, ...]:
        """Its file, and those that it extends."""
        return tuple(chain(self.group, self.name, self.folders))

    @property
    def target(self) -> str:
        """The dotted path of its class or function; empty if it only chooses other options."""
        return str(stated(self.files).get("_target_", ""))

    @property
    def summary(self) -> str:
        """A sentence that describes it, from its file or from the docstring of its target."""
        return self.told[0] or docstring(self.target).summary

    @property
    def description(self) -> str:
        """Further paragraphs, separated by blank lines; indented lines are not changed."""
        (first, more), described = self.told, docstring(self.target)
        repeated = not first or described.summary.startswith(first.rstrip("."))
        parts = [more, "" if repeated else described.summary, described.description]
        return "\n\n".join(filter(None, parts))

    @property
    def told(self) -> tuple[str, str]:
        """The first sentence of the comment in its file, and the rest."""
        head = self.files[0].head
        end = next((i for i, line in enumerate(head) if line.startswith(" ")), len(head))
        first, *rest = SENTENCE_END.split(" ".join(head[:end]), maxsplit=1)
        return re.sub(":$", ".", first), "\n".join([*rest, *head[end:]])

    @property
    def prefix(self) -> str:
        """The prefix of the names of its values: ``model`` or ``metric.seg``."""
        package = self.files[0].package
        return self.group.replace("/", ".") if package in ("", "_global_") else package

    @property
    def values(self) -> tuple[Value, ...]:
        """The values that an override can give for it."""
        return tuple(values(self))

    @property
    def sets(self) -> tuple[str, ...]:
        """The overrides that it is short for, if it has no target."""
        if self.target:
            return ()
        own = dict(self.files[0].content)
        chosen = [
            f"{key.removeprefix('override /')}={option}"
            for one in own.pop("defaults", ())
            for key, option in (one if isinstance(one, dict) else {self.group: one}).items()
        ]
        params = own.get("hydra", {}).get("sweeper", {}).get("params")
        given = params.items() if params else flat(own)
        return (*chosen, *(f"{key}={typed(value)}" for key, value in given))


@dataclass(frozen=True)
class Group:
    """A folder of ``conf/``. A command uses one or several of its options."""

    name: str
    summary: str
    options: tuple[Option, ...]
    chosen: str
    """The option that a command uses by default; empty if there is none."""
    several: bool = False
    """Whether several options are used at once."""
    can_choose: bool = True
    """Whether the command may choose another option; otherwise it may only change single values."""


def groups(command: str = "train", folders: Folders = (CONF,)) -> list[Group]:
    """Return the groups of a command: ``train``, ``evaluate``, ``predict`` or ``export``.

    Parameters
    ----------
    folders
        Folders with options, laid out like ``conf/``.
    """
    choosable, chosen = hints.groups(command), defaults(command)
    summaries = {name: group.summary for name, group in GROUPS.items()} | OTHER_GROUPS
    return [
        Group(
            name,
            summary,
            tuple(Option(name, option, folders) for option in option_names(name, folders)),
            chosen.get(name, ""),
            name in GROUPS and GROUPS[name].several,
            name in choosable or name.startswith("hydra/"),
        )
        for name, summary in summaries.items()
        if name in choosable
        or name in content(command)
        or (command == "train" and name.startswith("hydra/"))
    ]


def defaults(command: str) -> dict[str, str]:
    """Return the option of each group that a command uses by default."""
    found: dict[str, str] = {}
    for one in content(command).get("defaults", ()):
        if isinstance(one, dict):
            found |= {key.removeprefix("override "): option or "" for key, option in one.items()}
    return found


def values(option: Option) -> list[Value]:
    """Return the values that an override can give for an option."""
    given, target = stated(option.files), option.target
    if not target:
        return []
    told, choices, ranges = docstring(target), limits.choices(target), limits.ranges(target)
    group = GROUPS.get(option.group)
    try:
        known = {one.name: one for one in parameters(target)}
    except ImportError:  # of an extra that is not installed
        return []
    found: list[Value] = []
    for name, one in known.items():
        if one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD):
            continue
        if (one.default is one.empty and name not in given) or (group and name in group.runtime):
            continue
        default = given.get(name, one.default)
        found.append(
            Value(
                f"{option.prefix}.{name}",
                typed(default),
                default is None and one.default is not None,
                kind_of(one.annotation),
                choices.get(name, ()),
                span(*ranges[name]) if name in ranges else "",
                told.parameters.get(name, ""),
                next((file.comments[name] for file in option.files if name in file.comments), ""),
            )
        )
    return found


def top_level(command: str) -> list[Value]:
    """Return the values of a command outside of groups, with the comments in its file.

    >>> [value.name for value in top_level("export")][:3]
    ['checkpoint', 'output', 'format']
    """
    file = read(CONF / f"{command}.yaml")
    own = {k: v for k, v in file.content.items() if k not in ("defaults", "hydra", *GROUPS)}
    return [
        Value(
            name,
            typed(value),
            kind=kind_of(type(value)) if value not in (None, "???") else "",
            meaning=file.comments.get(name, ""),
        )
        for name, value in flat(own)
    ]


def flat(node: Mapping[str, Any], key: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each value that is no dictionary, with its dotted key."""
    for name, value in node.items():
        full = f"{key}.{name}".lstrip(".")
        if isinstance(value, Mapping):
            yield from flat(value, full)
        else:
            yield full, value


def span(low: float, high: float) -> str:
    """Return a range in words.

    >>> span(1, 7), span(0, math.inf)
    ('1 to 7', '0 or more')
    """
    return f"{low:g} or more" if high == math.inf else f"{low:g} to {high:g}"
