"""Run the benchmarks: ``python -m benchmarks [PART ...] [--quick]``; all parts without a name."""

import argparse
import importlib
import sys

#: Each a module with ``main()``, which takes ``--quick``.
PARTS = ("weight_map", "metrics", "sliding_window", "startup")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="small, to see that they run")
    arguments = parser.parse_args()
    if unknown := [part for part in arguments.parts if part not in PARTS]:
        parser.error(f"There is no part {unknown[0]}. Give of {', '.join(PARTS)}.")
    for part in arguments.parts or PARTS:
        print(f"\n== {part}", flush=True)
        module = importlib.import_module(f"benchmarks.{part}")
        sys.argv = [f"benchmarks.{part}", *(["--quick"] if arguments.quick else [])]
        module.main()


if __name__ == "__main__":
    main()
