"""Find the topic of ``--help``: a group, an option, or a value."""

import difflib
from collections.abc import Iterator, Sequence
from contextlib import suppress

from unet_exp.commands import help_page
from unet_exp.configuration.groups import CONF
from unet_exp.configuration.hints import MEANT, OverrideError
from unet_exp.configuration.overrides import HELP, CommandLine, is_override
from unet_exp.configuration.own_options import folders, import_from_here
from unet_exp.configuration.reference import Group, Option, Value, groups, top_level
from unet_exp.ranges import did_you_mean

#: Flags of Hydra that have a value.
WITH_VALUE = (
    "--config-dir", "-cd", "--config-path", "-cp", "--config-name", "-cn", "--cfg", "-c",
    "--package", "-p",
)  # fmt: skip


def asks_help(words: Sequence[str]) -> bool:
    """Tell whether a command line asks for help.

    >>> asks_help(["--help", "model"]), asks_help(["model=unet"])
    (True, False)
    """
    return any(word in HELP for word in words)


def help_text(command: str, words: Sequence[str], width: int = 80) -> str:
    """Return the help of a command on the topics in its command line, or its overview.

    Topics are the words after ``--help``. If there are none, they are the known words before it.

    Raises OverrideError with a similar topic if a topic does not exist.
    """
    places = [w for w in words if w.startswith("hydra.searchpath=") or not is_override(w)]
    if own := folders(CommandLine.read(places, command)):
        import_from_here()  # signatures may come from a package in the current folder
    known = groups(command, (CONF, *own))
    flag = next((index for index, word in enumerate(words) if word in HELP), 0)
    pages = [page(command, known, topic, width) for topic in topics(words[flag:])]
    for topic in topics(words[:flag]) if not pages else ():
        with suppress(OverrideError):  # an override may be no topic
            pages.append(page(command, known, topic, width))
    return "\n\n".join(pages) or help_page.overview(command, known, top_level(command), width)


def topics(words: Sequence[str]) -> Iterator[str]:
    """Yield the words that are neither flags, nor their values, nor search paths.

    >>> list(topics(["--help", "--config-dir", "mine", "+model=unet", "-m"]))
    ['model=unet']
    """
    before = ""
    for word in words:
        if before not in WITH_VALUE and not word.startswith(("-", "hydra.searchpath=")):
            yield word.lstrip("+~")
        before = word


def page(command: str, known: Sequence[Group], topic: str, width: int) -> str:
    """Return the page on a topic.

    Raises OverrideError if there is none.
    """
    key, _, chosen = topic.partition("=")
    for group in known:
        if key == group.name and chosen in ("", "null"):
            return help_page.of_group(command, group, width)
    options = [option for group in known for option in group.options]
    if named := [one for one in options if is_named(one, key, chosen)]:
        return "\n\n".join(help_page.of_option(one, width) for one in named)
    is_group = key in {group.name for group in known}
    if not is_group and (found := values_named(key, command, options)):
        return help_page.of_values(found, width)
    raise OverrideError(f"There is no help on {topic}.{meant(key, chosen, command, known)}")


def is_named(option: Option, key: str, chosen: str) -> bool:
    """Tell whether a topic names an option.

    >>> loss = Option("loss", "dice")
    >>> is_named(loss, "loss", "dice"), is_named(loss, "loss.dice", ""), is_named(loss, "dice", "")
    (True, True, True)
    """
    if key == option.group:
        return option.name in chosen.strip("[]").replace(" ", "").split(",")
    return key in (option.name, f"{option.group}.{option.name}", f"{option.group}/{option.name}")


def values_named(key: str, command: str, options: Sequence[Option]) -> dict[Value, list[Option]]:
    """Return the values that a topic names, each with the options that have it.

    A topic is a whole key (``model.depth``), the first part of keys (``monitor``), or the last part
    of keys (``depth``).
    """
    found: dict[Value, list[Option]] = {one: [] for one in top_level(command)}
    # Reading the signatures of all options takes a second, those of one group much less.
    of_its_group = [one for one in options if key.startswith(f"{one.prefix}.")]
    for option in of_its_group or options:
        for value in option.values:
            found.setdefault(value, []).append(option)
    for matches in (
        lambda name: name == key,
        lambda name: name.startswith(f"{key}."),
        lambda name: name.endswith(f".{key}"),
    ):
        if named := {value: owners for value, owners in found.items() if matches(value.name)}:
            return named
    return {}


def meant(key: str, chosen: str, command: str, known: Sequence[Group]) -> str:
    """Return the topic that was probably meant, as the end of a message."""
    options = [option for group in known for option in group.options]
    if chosen and (own := [one.name for one in options if one.group == key]):
        hint = did_you_mean(chosen, own, prefix=f"{key}=")
        return f"{hint} Options of {key}: {', '.join(own)}."
    if other := MEANT[command].get(key):
        return f" Did you mean {other}?"
    values = [*top_level(command), *(value for one in options for value in one.values)]
    names = [*(one.name for one in known), *(one.name for one in options)]
    names += [value.name for value in values]
    near = difflib.get_close_matches(key, names, n=1)
    last = {name.rpartition(".")[2]: name for name in reversed(names)}
    near = near or [last[one] for one in difflib.get_close_matches(key, last, n=1)]
    return f" Did you mean {near[0]}?" if near else " --help alone lists all groups and values."
