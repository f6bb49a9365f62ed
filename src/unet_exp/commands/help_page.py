"""Pages of ``--help``: plain text, wrapped with hanging indents."""

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import fill

from unet_exp.configuration.groups import content
from unet_exp.configuration.reference import Group, Option, Value

#: Column at which the text after the name of an option begins.
COLUMN = 22


def overview(command: str, groups: Sequence[Group], own: Sequence[Value], width: int) -> str:
    """Return the help of a command: its usage, its groups with their options, and its values."""
    opening = content(command)["hydra"]["help"]["header"].strip()
    parts = [opening.replace(f"python {command}.py", script(command))]
    if groups:
        usual = "* is the usual one." if command == "train" else "Without one, the checkpoint's."
        parts.append(f"Groups: choose an option by GROUP=OPTION. {usual}")
        parts += [listing(group, width) for group in groups]
    parts.append("Values: give one by NAME=VALUE.")
    parts.append("\n".join(of_value(value, width) for value in own))
    return "\n\n".join(parts)


def script(command: str) -> str:
    """Return the call of this command: ``python train.py`` or ``unet-train``."""
    name = Path(sys.argv[0]).name
    return name if name == f"unet-{command}" else f"python {command}.py"


def listing(group: Group, width: int) -> str:
    """Return a group and its options, with a sentence about each."""
    only = "" if group.can_choose else " Single values alone can be changed."
    lines = [wrapped(f"{group.name}: {lower(group.summary)}{only}", width, 0, 4)]
    for option in group.options:
        mark = "*" if option.name == group.chosen else " "
        name = f"  {mark} {option.name}".ljust(COLUMN)
        if len(name) > COLUMN:
            lines.append(name)
            name = " " * COLUMN
        lines.append(wrapped(f"{name}{option.summary}", width, 0, COLUMN))
    return "\n".join(lines)


def of_group(command: str, group: Group, width: int) -> str:
    """Return the options of a group, and the values of the default one, or of all if few."""
    parts = [listing(group, width)]
    usual = [one for one in group.options if one.name == group.chosen]
    if group.several or len(group.options) == 1:
        usual = [one for one in group.options if one.values]
    parts += [of_option(option, width) for option in usual]
    others = [one for one in group.options if one not in usual and (one.values or one.sets)]
    if others:
        asked = f"{script(command)} --help {others[-1].typed}"
        parts.append(f"More on another option: {asked}")
    return "\n\n".join(parts)


def of_option(option: Option, width: int) -> str:
    """Return the description of an option, and its values or the overrides that it sets."""
    parts = [f"{option.typed}  ({option.target})" if option.target else option.typed]
    parts.append(wrapped(option.summary, width, 2, 2))
    if option.description:
        parts.append(paragraphs(option.description, width))
    if option.values:
        parts.append("\n".join(of_value(value, width) for value in option.values))
    if option.sets:
        parts.append("\n".join(["  It stands for:", *(f"    {one}" for one in option.sets)]))
    return "\n\n".join(parts)


def of_values(values: Mapping[Value, Sequence[Option]], width: int) -> str:
    """Return some values, with the options that have them."""
    parts: list[str] = []
    for value, owners in values.items():
        parts.append(of_value(value, width))
        if owners:
            names = ", ".join(option.typed for option in owners)
            parts.append(wrapped(f"Of {names}.", width, 6, 6))
    return "\n".join(parts)


def of_value(value: Value, width: int) -> str:
    """Return a value with its default, its choices or its range, and its meaning."""
    head = f"  {assigned(value)}"
    if facts := what_fits(value):
        line = f"{head.ljust(40)}  {facts}"
        if len(line) <= width:
            head, facts = line, ""
        else:
            facts = f"{facts[0].upper()}{facts[1:]}."
    note = value.note and f"{value.note[0].upper()}{value.note[1:].rstrip('.')}."
    text = " ".join(filter(None, [facts, value.meaning, note]))
    return f"{head}\n{wrapped(text, width, 6, 6)}" if text else head


def assigned(value: Value) -> str:
    """Return a value with its default.

    >>> assigned(Value("seed", "0")), assigned(Value("output", ""))
    ('seed=0', 'output=  (must be given)')
    >>> assigned(Value("loader.seed", "${seed}")), assigned(Value("a.b", "${of_target:gap}"))
    ('loader.seed  (that of seed)', 'a.b  (by the target)')
    """
    if value.is_planned:
        return f"{value.name}  (planned)"
    if not value.default:
        return f"{value.name}=  (must be given)"
    if found := re.fullmatch(r"\$\{([\w.]+)\}", value.default):
        return f"{value.name}  (that of {found[1]})"
    if value.default.startswith("${of_target:"):
        return f"{value.name}  (by the target)"
    if found := re.fullmatch(r"\$\{oc.env:(\w+),(.*)\}", value.default):
        return f"{value.name}={found[2]}  (or {found[1]})"
    if found := re.fullmatch(r"\$\{chosen:(\w+)\}", value.default):
        return f"{value.name}  (the {found[1]}'s)"
    return f"{value.name}={value.default}"


def what_fits(value: Value) -> str:
    """Describe the allowed values.

    >>> what_fits(Value("a", "1", kind="a whole number", range="1 to 7"))
    'a whole number, 1 to 7'
    >>> what_fits(Value("a", "b", kind="text or null", choices=("b", "c")))
    'one of b, c, null'
    """
    if value.choices:
        null = ["null"] if value.kind.endswith("or null") else []
        return f"one of {', '.join([*value.choices, *null])}"
    return ", ".join(filter(None, [value.kind, value.range]))


def lower(text: str) -> str:
    """Return a sentence with a small letter at its beginning."""
    return f"{text[0].lower()}{text[1:]}"


def paragraphs(text: str, width: int) -> str:
    """Wrap paragraphs; indented lines are not changed."""
    lines: list[str] = []
    for line in text.splitlines():
        hanging = 4 if line.startswith("- ") else 2
        lines.append(f"  {line}" if line.startswith(" ") else wrapped(line, width, 2, hanging))
    return re.sub(r"\n\n(?=  - )", "\n", "\n".join(lines))


def wrapped(text: str, width: int, first: int, others: int) -> str:
    """Return a text in lines of a width, with an indent of the first and of the other lines."""
    return fill(
        text,
        width,
        initial_indent=" " * first,
        subsequent_indent=" " * others,
        break_long_words=False,
        break_on_hyphens=False,
    )
