"""Sentences on errors that follow the list of parameters belong to no parameter.

They move in front of the list, where napoleon takes them for a paragraph.
"""

import re

from sphinx.application import Sphinx

#: A paragraph at the margin that begins with "Raises".
RAISES = re.compile(r"^Raises [^\n]+(?:\n(?!\s*$).+)*", re.M)
SECTION = re.compile(r"^\w[\w ]*\n-{3,}$", re.M)


def move(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Change the lines of a docstring in place."""
    text = "\n".join(lines)
    raised, section = RAISES.search(text), SECTION.search(text)
    if raised and section and section.start() < raised.start():
        rest = text[: raised.start()] + text[raised.end() :]
        at = section.start()
        lines[:] = f"{rest[:at]}{raised.group()}\n\n{rest[at:]}".splitlines()


def setup(app: Sphinx) -> dict[str, bool]:
    """Run before napoleon, whose priority is 500."""
    app.connect("autodoc-process-docstring", move, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
