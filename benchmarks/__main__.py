"""Speed, side by side with others: ``python -m benchmarks [PART ...] [--quick] [--write]``."""

import argparse
import importlib
import os
import platform
import re
import subprocess
import sys
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.measuring import HEADER, WIDTHS, Line, Part, row, table
from unet_exp.training.devices import core_count

#: Each a module with ``lines``. Those that take long are run only by name.
PARTS = (
    "weight_map", "metrics", "augmentation", "sliding_window", "inference", "loading",
    "training_step", "startup", "growth", "gpu",
)  # fmt: skip
LONG = ("accuracy", "generalisation", "peers")
PACKAGES = (
    "torch", "lightning", "hydra-core", "numpy", "scipy", "opencv-python-headless",
    "albumentations", "monai", "batchgenerators", "scikit-image", "py-ctcmetrics",
    "cellseg-metrics",
)  # fmt: skip
RESULTS = Path(__file__).parent / "RESULTS.md"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    every = ", ".join(PARTS) + (f"; only by name: {', '.join(LONG)}" if LONG else "")
    parser.add_argument("parts", nargs="*", metavar="PART", help=every)
    parser.add_argument("--quick", action="store_true", help="small, to see that they run")
    parser.add_argument("--rounds", type=int, default=5, help="of which the table gives the range")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("UNET_EXP_DATA", "data")))
    parser.add_argument("--write", action="store_true", help="put the tables into RESULTS.md")
    parser.add_argument(
        "--only",
        nargs="+",
        default=[],
        help="rows of generalisation by a part of their names, or peers",
    )
    parser.add_argument("--headless", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if unknown := [part for part in arguments.parts if part not in PARTS + LONG]:
        parser.error(f"There is no part {unknown[0]}. Give of {', '.join(PARTS + LONG)}.")
    if arguments.quick and arguments.write:
        parser.error(
            "--quick measures small made-up things, and --write would put that in the place of the "
            "published results. Leave one of them out."
        )
    if arguments.quick:
        arguments.rounds = 1
    if not arguments.headless:
        print(table([("part", *HEADER)], WIDTHS), flush=True)
    parts = arguments.parts or PARTS
    # One process imports everything once, which takes most of the time of small things.
    if len(parts) == 1 or arguments.quick:
        for name in parts:
            measure(name, arguments)
        return
    # Each in a process of its own: threads and memory are set for the whole one.
    ends = {name: subprocess.run(command(name, arguments), check=False) for name in parts}
    if failed := [name for name, done in ends.items() if done.returncode]:
        sys.exit(f"Failed, see above: {', '.join(failed)}.")


def command(name: str, arguments: argparse.Namespace) -> list[str]:
    """What runs one part, with the same options and without the table's head."""
    words = [name, "--headless", "--rounds", str(arguments.rounds), "--data", str(arguments.data)]
    words += ["--only", *arguments.only] if arguments.only else []
    words += [f"--{flag}" for flag in ("quick", "write") if getattr(arguments, flag)]
    return [sys.executable, "-m", "benchmarks", *words]


def measure(name: str, arguments: argparse.Namespace) -> None:
    """Run a part, and print its lines as they come."""
    part: Part = importlib.import_module(f"benchmarks.{name}")  # pyright: ignore[reportAssignmentType]
    lines: list[Line] = []
    for line in part.lines(arguments):
        lines.append(line)
        print(row((name, *line.cells())), flush=True)
    if arguments.write and lines:
        write(RESULTS, name, part.__doc__, lines)


def write(path: Path, name: str, told: str, lines: list[Line]) -> None:
    """Replace a part's section, up to its table's end; what stands below the table remains.

    Of a section without a table the whole text remains, below the new one.
    """
    words = f"`python -m benchmarks {name}`, {date.today()}, on {machine()}."
    text = f"## {name}\n\n{told.strip()}\n\n{words}\n\n"
    text += f"{table([HEADER, *(line.cells() for line in lines)])}\n"
    old = path.read_text() if path.exists() else "# Results\n"
    upto_table = r"(?:(?!## ).*\n)*?\|---.*\n(?:\|.*\n)*"
    section = re.compile(rf"^## {name}\n(?:{upto_table})?", re.M)
    if section.search(old):
        new = section.sub(lambda _: text, old, count=1)
    else:
        new = f"{old.rstrip()}\n\n{text}"
    path.write_text(new)


def machine() -> str:
    """The processor, and the versions of what is compared."""
    found = [f"Python {platform.python_version()}"]
    for package in PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return f"{core_count()} cores of {processor()}: {', '.join(found)}"


def processor() -> str:
    if sys.platform == "darwin":
        words = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip()
    facts = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.*)", facts.read_text()) if facts.exists() else None
    return found[1] if found else platform.processor() or platform.machine()


if __name__ == "__main__":
    main()
