"""Write the table and the page of a sweep again: ``unet-sweep outputs/sweeps/hela/STAMP``."""

import argparse
import os
import sys
import webbrowser
from pathlib import Path
from typing import NoReturn

from unet_exp.records.sweep_folder import SweepFolder
from unet_exp.reports.sweep_page import group_address
from unet_exp.secrets.masking import learn
from unet_exp.shown import screened, shown
from unet_exp.sweeps import dashboard
from unet_exp.sweeps.conclude import conclude


def main() -> NoReturn:
    """Entry point of ``unet-sweep``: exit code 0, or 1 if the folder is no sweep."""
    parser = argparse.ArgumentParser(
        prog="unet-sweep",
        description="Write sweep.csv and sweep.html of a sweep, running or ended, and say how its "
        "jobs stand.",
        epilog="A sweep begins with python train.py -m model.depth=3,4,5; its settings: "
        "python train.py --help hydra/sweeper, hydra/launcher or sweep.",
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="outputs/sweeps/NAME/STAMP")
    parser.add_argument(
        "--open",
        action="store_true",
        help="show the group of runs on W&B in a browser, or the page where none is online",
    )
    parser.add_argument(
        "--dashboard",
        metavar="ENTITY/PROJECT",
        help="save a workspace on W&B with scores by setting, curves, pictures and a table of jobs "
        "(extra: dashboard)",
    )
    given = parser.parse_args()
    learn(os.environ)
    try:
        with screened():
            sweep = conclude(given.folder)
            if given.dashboard:
                print(f"dashboard   {dashboard.publish(sweep, given.dashboard)}", flush=True)
    except (OSError, ValueError) as error:
        print(f"Error: {shown(error)}", file=sys.stderr)
        sys.exit(1)
    except Exception as error:  # an unexpected record, whose texts cannot be trusted
        told = shown(f"{type(error).__name__}: {error}")
        print(f"Error: {given.folder} cannot be read ({told}).", file=sys.stderr)
        sys.exit(1)
    if given.open:
        page = SweepFolder(given.folder).page.resolve().as_uri()
        webbrowser.open(group_address(sweep) or page)
    sys.exit(0)


if __name__ == "__main__":
    main()
