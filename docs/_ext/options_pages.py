"""Write reference/options/*.md, a page for each group of options, from what ``--help`` shows."""

import re
import shutil
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from sphinx.application import Sphinx

from unet_exp.configuration.reference import Group, Option, Value, groups, top_level

#: The commands, with what stands above their values.
COMMANDS = {
    "train": "Train a network",
    "evaluate": "Score a network",
    "predict": "Segment images",
    "export": "Write a network for other programs",
}
INDEX = """# Options and values

`python train.py --help` lists the groups, and `python train.py --help model=unet` the values of an
option. These pages hold the same.

```{{toctree}}
:maxdepth: 1

{pages}
```
"""
#: What has a meaning in Markdown, and none in a docstring.
SPECIAL = re.compile(r"(?<!\\)([*_<$\[\]|])")


def write_pages(app: Sphinx) -> None:
    """Write all pages anew, and touch only those that changed."""
    folder = Path(app.srcdir) / "reference" / "options"
    pages = {f"values-of-{name}": command(name, title) for name, title in COMMANDS.items()}
    pages |= {group.name.replace("/", "-"): page(group) for group in groups("train")}
    if folder.exists() and {path.stem for path in folder.iterdir()} != {*pages, "index"}:
        shutil.rmtree(folder)
    folder.mkdir(exist_ok=True)
    pages["index"] = INDEX.format(pages="\n".join(pages))
    for name, text in pages.items():
        path = folder / f"{name}.md"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def command(name: str, title: str) -> str:
    """Return the page of a command's own values."""
    blocks = [f"# {title}: {name}.py", f"The values of `{name}.py` that belong to no group."]
    return "\n\n".join([*blocks, *map(entry, top_level(name))]) + "\n"


def page(group: Group) -> str:
    """Return the page of a group."""
    blocks = [f"# {group.name}", plain(group.summary)]
    if group.chosen and len(group.options) > 1:
        blocks.append(f"Without a choice, it is `{group.name}={group.chosen}`.")
    if group.several:
        blocks.append(f"Several can be used at once: `{group.name}=[...]`.")
    for option in group.options:
        blocks += section(option)
    return "\n\n".join(blocks) + "\n"


def section(option: Option) -> Iterator[str]:
    """Yield what stands under the heading of an option."""
    yield f"## {option.typed}"
    yield plain(option.summary)
    yield from paragraphs(option.description)
    if option.sets:
        yield "It sets:"
        yield "```text\n" + "\n".join(option.sets) + "\n```"
    yield from map(entry, option.values)
    if option.target:
        yield f"It builds `{option.target}`."


def entry(value: Value) -> str:
    """Return a value as an item of a list of definitions."""
    is_required = value.default in ("", "???")
    facts = [plain(" ".join(value.meaning.split()))]
    facts.append("Required." if is_required else f"Default: `{value.default}`.")
    note = plain(" ".join(value.note.split()))
    if value.is_planned:
        facts.append("{doc}`Planned </explained/plan>` from the data.")
        note = note.removeprefix("planned from the data; ")
    if value.choices:
        facts.append("One of " + ", ".join(f"`{choice}`" for choice in value.choices) + ".")
    elif value.kind:
        extent = f", {value.range}" if value.range else ""
        facts.append(plain(value.kind[0].upper() + value.kind[1:] + extent) + ".")
    facts.append(note)
    return f"`{value.name}`\n: " + " ".join(filter(None, facts))


def paragraphs(text: str) -> Iterator[str]:
    """Yield paragraphs of Markdown; indented lines become code."""
    for is_code, lines in groupby(text.splitlines(), lambda line: line.startswith("  ")):
        block = "\n".join(lines)
        if is_code:
            yield f"```text\n{block}\n```"
        elif block.strip():
            yield plain(block)


def plain(text: str) -> str:
    """Return text in which only code between backticks has a meaning in Markdown."""
    parts = re.split(r"(`+[^`]+`+)", text)
    return "".join(
        part if number % 2 else SPECIAL.sub(r"\\\1", part) for number, part in enumerate(parts)
    )


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the pages before Sphinx looks for pages."""
    app.connect("builder-inited", write_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
