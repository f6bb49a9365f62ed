"""The pages of the documentation, and their code."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: Written by the build.
GENERATED = ("_build", "examples", "options")


def pages() -> list[Path]:
    """Return README.md, CONTRIBUTING.md, and all pages of the documentation."""
    docs = sorted((ROOT / "docs").rglob("*.md"))
    return [
        *sorted(ROOT.glob("*.md")),
        *(page for page in docs if not set(GENERATED) & set(page.relative_to(ROOT).parts)),
    ]


def blocks(page: Path, language: str) -> list[str]:
    """Return the blocks of code in a language on a page."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.M | re.S)
