"""Compare this project with other packages: ``python -m benchmarks [PART ...] [--write]``."""

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

#: Modules with a function ``lines``. The long ones run only if they are named.
PARTS = (
    "weight_map", "metrics", "augmentation", "sliding_window", "inference", "loading",
    "training_step", "roofline", "startup", "growth", "gpu",
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
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that they run")
    parser.add_argument("--rounds", type=int, default=5, help="number of rounds (default: 5)")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("UNET_EXP_DATA", "data")))
    parser.add_argument("--write", action="store_true", help="write the tables to RESULTS.md")
    parser.add_argument(
        "--only",
        nargs="+",
        default=[],
        help="generalisation: rows whose names contain a text; peers: packages",
    )
    parser.add_argument("--headless", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if unknown := [part for part in arguments.parts if part not in PARTS + LONG]:
        parser.error(f"There is no part {unknown[0]}. Choose from {', '.join(PARTS + LONG)}.")
    if arguments.quick and arguments.write:
        parser.error(
            "--quick measures small synthetic data, and --write would replace the published "
            "results by that. Leave one of them out."
        )
    if arguments.quick:
        arguments.rounds = 1
    if not arguments.headless:
        print(table([("part", *HEADER)], WIDTHS), flush=True)
    parts = arguments.parts or PARTS
    # With --quick, imports take most of the time, so all parts share one process.
    if len(parts) == 1 or arguments.quick:
        for name in parts:
            measure(name, arguments)
        return
    # Each part has its own process, because threads and memory are set for a whole process.
    ends = {name: subprocess.run(command(name, arguments), check=False) for name in parts}
    if failed := [name for name, done in ends.items() if done.returncode]:
        sys.exit(f"Failed, see above: {', '.join(failed)}.")


def command(name: str, arguments: argparse.Namespace) -> list[str]:
    """Command that runs one part with the same options, without the table's header."""
    words = [name, "--headless", "--rounds", str(arguments.rounds), "--data", str(arguments.data)]
    words += ["--only", *arguments.only] if arguments.only else []
    words += [f"--{flag}" for flag in ("quick", "write") if getattr(arguments, flag)]
    return [sys.executable, "-m", "benchmarks", *words]


def measure(name: str, arguments: argparse.Namespace) -> None:
    """Run a part, and print each row as soon as it is measured."""
    part: Part = importlib.import_module(f"benchmarks.{name}")  # pyright: ignore[reportAssignmentType]
    lines: list[Line] = []
    for line in part.lines(arguments):
        lines.append(line)
        print(row((name, *line.cells())), flush=True)
    if arguments.write and lines:
        write(RESULTS, name, part.__doc__, lines)


def write(path: Path, name: str, told: str, lines: list[Line]) -> None:
    """Replace a part's section up to the end of its table. The text below the table remains.

    If the old section has no table, all its text remains, below the new table.
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
    """Processor, and versions of the packages."""
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
