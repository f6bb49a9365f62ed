"""Each command on a page is accepted."""

import re
import shlex
import tomllib
from collections.abc import Iterator

import pytest
from benchmarks.__main__ import LONG, PARTS
from hydra.core.override_parser.types import IntervalSweep

from tests.docs.pages import ROOT, blocks, pages
from unet_exp.api.job import compose
from unet_exp.configuration.overrides import CommandLine, Override

#: Programs of others, which no test of ours can check.
OTHERS = {
    ".", "bioimageio", "eval", "export", "git", "lint-imports", "pre-commit", "pyright", "pytest",
    "ruff", "sphinx-build",
}  # fmt: skip
COMMANDS = {f"{name}.py": name for name in ("train", "evaluate", "predict", "export")}
COMMANDS |= {f"unet-{name}": name for name in ("train", "evaluate", "predict", "export")}


def lines() -> Iterator[str]:
    for page in pages():
        for block in blocks(page, "bash"):
            for line in block.replace("\\\n", " ").splitlines():
                for part in re.sub(r"\s+# .*", "", line).split(" && "):
                    if part.strip():
                        yield part.strip()


SHOWN = sorted(set(lines()))


def first_job(override: Override) -> str:
    """Return the override of a sweep as its first job has it."""
    if not override.parsed.is_sweep_override() or override.key.startswith("hydra"):
        return override.text
    if isinstance(override.value, IntervalSweep):
        return f"{override.key}={override.value.start}"
    return f"{override.key}={next(iter(override.parsed.sweep_string_iterator()))}"


@pytest.mark.parametrize("line", SHOWN)
def test_a_command_that_is_shown_works(line: str) -> None:
    words = shlex.split(line)
    named = next((n for n, word in enumerate(words) if word in COMMANDS), None)
    if named is not None:
        command = COMMANDS[words[named]]
        read = CommandLine.read(words[named + 1 :], command)
        compose(command, [first_job(one) for one in read.overrides])
    elif words[0] == "make":
        targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M)
        assert {word for word in words[1:] if "=" not in word} <= set(targets)
    elif words[0] == "pip":
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        for extras in re.findall(r"\[(.*?)\]", line):
            assert set(extras.split(",")) <= set(project["optional-dependencies"])
    elif words[:3] == ["python", "-m", "benchmarks"]:
        parts = words[3 : words.index("--only") if "--only" in words else None]
        assert {part for part in parts if not part.startswith("-")} <= {*PARTS, *LONG}
    else:
        assert words[0] in OTHERS or words[0] in ("unet-sweep", "python3", "python"), line


def test_commands_were_found() -> None:
    assert len(SHOWN) > 60
