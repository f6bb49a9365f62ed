"""Links within the repository have a target. Sphinx also checks those of ``docs/``."""

import os
import re
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, pages

EVERY = [*pages(), *sorted((ROOT / ".github").rglob("*.md"))]


def anchors(page: Path) -> set[str]:
    """Return the names of a page's headings, as GitHub and MyST make them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.M)
    return {re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-") for text in headings}


@pytest.mark.parametrize("page", EVERY, ids=lambda page: os.fspath(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", page.read_text()):
        path, _, anchor = target.partition("#")
        there = (page.parent / path) if path else page
        if "examples" in there.parts and there.suffix == ".rst":
            there = ROOT / "examples" / "python" / f"{there.stem}.py"  # built from the script
        if there.parent.name == "options" and there.suffix == ".md":
            there = ROOT / "docs" / "_ext" / "options_pages.py"  # written when the pages are built
        assert there.exists(), target
        if anchor:
            assert anchor in anchors(there), target


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) < 150
