"""Train in a new process. :mod:`unet_exp.runs.warm_start` starts this module; users do not."""

import argparse
import logging
import logging.config
import os
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

import psutil
from omegaconf import OmegaConf

from unet_exp.configuration import schema
from unet_exp.configuration.errors import explain
from unet_exp.configuration.groups import CONF
from unet_exp.records.run_folder import RunFolder
from unet_exp.runs.warm_start import JOB
from unet_exp.secrets.masking import learn
from unet_exp.shown import screened, shown_lines
from unet_exp.training.devices import core_count
from unet_exp.training.torchrun import rank, started_by_torchrun, write_error

trace = logging.getLogger("unet_exp.trace")


def main() -> int:
    """Run the job; return 0 if the record holds its result, 1 if it failed."""
    learn(os.environ)
    with screened():
        try:
            return run()
        except Exception:
            traceback.print_exc()  # secrets are masked here
            return 1


def run() -> int:
    """Train in this process, or start torchrun if there are several processes."""
    parser = argparse.ArgumentParser(prog="python -m unet_exp.runs.job", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("config", type=Path)
    parser.add_argument("--command", required=True)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--quiet", action="store_true")
    arguments = parser.parse_args()
    if arguments.processes > 1 and not started_by_torchrun():
        return start_torchrun(arguments.processes)
    # In the background of a shell, a process ignores Ctrl-C by inheritance.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    threading.Thread(target=end_with, args=(arguments.parent,), daemon=True).start()
    schema.register()
    log_to(arguments.folder, screen=rank() == 0 and not arguments.quiet, file=rank() == 0)
    cfg: Any = OmegaConf.load(arguments.config)
    learn(OmegaConf.to_container(cfg))
    try:
        from unet_exp.runs.fit import fit

        fit(cfg, arguments.folder, arguments.command)
    except (KeyboardInterrupt, SystemExit):
        return 0  # the record holds the state
    except Exception as error:
        stack = "".join(traceback.format_exception(error))
        trace.error(stack)
        write_error(explain(error), shown_lines(stack))
        return 1
    return 0


def start_torchrun(processes: int) -> int:
    """Start this module once for each device. If one process fails, torchrun ends the others."""
    from torch.distributed.run import main as torchrun

    # These signals are for the training processes; they would kill torchrun.
    for number in (signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, core_count() // processes)))
    torchrun(["--standalone", f"--nproc-per-node={processes}", "-m", JOB, *sys.argv[1:]])
    return 0


def end_with(parent: int) -> None:
    """Make this process save its training and end when its parent process is gone."""
    try:
        process = psutil.Process(parent)
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            time.sleep(1)
    except psutil.Error:
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def log_to(folder: Path, screen: bool, file: bool) -> None:
    """Configure logging as the commands do: to the screen, and to the log of the run."""
    path = CONF / "hydra" / "job_logging" / "unet_exp.yaml"
    settings: Any = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
    wanted = {"console": screen, "file": file}
    settings["handlers"]["file"]["filename"] = str(RunFolder(folder).log)
    settings["handlers"] = {k: v for k, v in settings["handlers"].items() if wanted[k]}
    for logger in (settings["root"], *settings["loggers"].values()):
        logger["handlers"] = [name for name in logger.get("handlers", ()) if wanted[name]]
    logging.config.dictConfig(settings)


if __name__ == "__main__":
    sys.exit(main())
