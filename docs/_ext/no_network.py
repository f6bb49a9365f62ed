"""Fail the build if a page loads anything from the network."""

import re
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

#: A script, a style sheet, a picture or a frame with an address on another machine.
LOADS = re.compile(r'<(?:script|img|iframe|source)\b[^>]*\bsrc="(?:https?:)?//[^"]*"')
LINKS = re.compile(r'<link\b(?=[^>]*rel="stylesheet")[^>]*href="(?:https?:)?//[^"]*"')


def check(app: Sphinx, exception: Exception | None) -> None:
    """Look through all pages."""
    if exception is not None:
        return
    for page in sorted(Path(app.outdir).rglob("*.html")):
        text = page.read_text(encoding="utf-8")
        if found := LOADS.search(text) or LINKS.search(text):
            raise ExtensionError(f"{page} needs the network: {found.group()}")


def setup(app: Sphinx) -> dict[str, bool]:
    """Run the check at the end of each build."""
    app.connect("build-finished", check)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
