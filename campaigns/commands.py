"""The commands of the project, run in this process as a person would: words in, exit code out."""

import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from hydra.core.global_hydra import GlobalHydra

from campaigns.trials import FaultError

#: A training of seconds: 8 tiny tiles, 4 steps, 2 validations.
TINY = (
    "model.depth=2", "model.base_channels=2", "dataset.size=64", "loader.tile=48",
    "loader.batch_size=1", "loader.steps_per_validation=2", "trainer=cpu", "trainer.max_steps=4",
    "trainer.precision=32-true", "postprocessing=components", "postprocessing.fit=false",
    "pictures.images=0", "logger=none", "plan=none",
)  # fmt: skip
#: Exit codes that the documentation names, and argparse's.
CODES = (0, 1, 2, 75, 130)


def run(name: str, words: Sequence[str]) -> int:
    """Run a command by its name, such as ``train``; return its exit code.

    Raises FaultError if it ends without one, or with one that means nothing.
    """
    sys.argv = [f"{name}.py", *words]
    os.environ["HYDRA_FULL_ERROR"] = ""
    GlobalHydra.instance().clear()
    said = " ".join(words)
    try:
        importlib.import_module(f"unet_exp.commands.{name}").main()
    except SystemExit as end:
        code = end.code or 0
    except BaseException as error:
        raise FaultError(f"{name} {said}: raises {type(error).__name__}: {error}") from error
    else:
        raise FaultError(f"{name} {said}: ends without an exit code")
    if code not in CODES:
        raise FaultError(f"{name} {said}: ends with exit code {code}")
    return int(code)


def screen() -> str:
    """What this process has printed; it prints into a file."""
    sys.stdout.flush()
    sys.stderr.flush()
    return Path("/proc/self/fd/1").resolve().read_text(errors="replace")


def require_told(code: int, about: str = "") -> None:
    """Refuse a failure without one clear message, or with one that says that it is a bug."""
    text = screen()
    if "This was not foreseen" in text:
        raise FaultError(f"{about}: {line_with('This was not foreseen', text)}")
    if code == 1 and text.count("Error: ") == 0:
        raise FaultError(f"{about}: fails without an error: {text[-300:]}")


def line_with(words: str, text: str) -> str:
    return next(line for line in text.splitlines() if words in line)
