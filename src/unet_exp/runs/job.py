"""One process of a training, started by :mod:`unet_exp.runs.processes`; not for a person."""

import argparse
import json
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
from omegaconf import DictConfig, OmegaConf

from unet_exp.configuration import schema
from unet_exp.configuration.errors import explain
from unet_exp.configuration.groups import CONF
from unet_exp.records.run_folder import RunFolder
from unet_exp.runs.processes import JOB
from unet_exp.secrets.masking import learn
from unet_exp.shown import screened, shown_lines
from unet_exp.training.devices import core_count

trace = logging.getLogger("unet_exp.trace")

#: What a process says when another one is gone; the other one knows why.
ECHOES = ("connection closed by peer", "gloo", "nccl", "connection reset", "broken pipe")


def main() -> int:
    """Train as the words say; 0 if the record tells how it ended, 1 if it failed."""
    learn(os.environ)
    with screened():
        try:
            return run()
        except Exception:
            traceback.print_exc()  # here, where it shows no secret
            return 1


def run() -> int:
    """Do what :func:`main` says, on a screen that shows no secret."""
    parser = argparse.ArgumentParser(prog="python -m unet_exp.runs.job", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("config", type=Path)
    parser.add_argument("--command", required=True)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--quiet", action="store_true")
    words = parser.parse_args()
    if words.processes > 1 and "RANK" not in os.environ:
        return under_torchrun(words.processes)
    # A shell starts what runs in its background with Ctrl-C ignored, which is inherited.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    threading.Thread(target=end_with, args=(words.parent,), daemon=True).start()
    schema.register()
    first = int(os.environ.get("RANK", 0)) == 0
    log_to(words.folder, screen=first and not words.quiet, file=first)
    cfg: Any = OmegaConf.load(words.config)
    learn(OmegaConf.to_container(cfg))
    return train(cfg, words.folder, words.command)


def train(cfg: DictConfig, folder: Path, command: str) -> int:
    """Train, and tell an error to whoever started this process."""
    try:
        from unet_exp.runs.fit import fit

        fit(cfg, folder, command)
    except (KeyboardInterrupt, SystemExit):
        return 0  # the record holds the state
    except Exception as error:
        trace.error("".join(traceback.format_exception(error)))
        tell(error)
        return 1
    return 0


def under_torchrun(processes: int) -> int:
    """Start this module once for each device; the first to fail ends the others."""
    from torch.distributed.run import main as torchrun

    # These are for the trainings; torchrun itself would die of them, and they with it.
    for number in (signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, core_count() // processes)))
    torchrun(["--standalone", f"--nproc-per-node={processes}", "-m", JOB, *sys.argv[1:]])
    return 0


def end_with(parent: int) -> None:
    """Ask this process to save itself and to end when the one that started it is gone."""
    try:
        starter = psutil.Process(parent)
        while starter.is_running() and starter.status() != psutil.STATUS_ZOMBIE:
            time.sleep(1)
    except psutil.Error:
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def log_to(folder: Path, screen: bool, file: bool) -> None:
    """Log as the commands do, to the screen and to ``train.log``."""
    path = CONF / "hydra" / "job_logging" / "unet_exp.yaml"
    settings: Any = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
    wanted = {"console": screen, "file": file}
    settings["handlers"]["file"]["filename"] = str(RunFolder(folder).log)
    settings["handlers"] = {k: v for k, v in settings["handlers"].items() if wanted[k]}
    for logger in (settings["root"], *settings["loggers"].values()):
        logger["handlers"] = [name for name in logger.get("handlers", ()) if wanted[name]]
    logging.config.dictConfig(settings)


def tell(error: Exception) -> None:
    """Write an error where torchrun, or whoever started this process, looks for it."""
    path = os.environ.get("TORCHELASTIC_ERROR_FILE")
    if path is None:
        return
    text = explain(error)
    echo = int(os.environ.get("WORLD_SIZE", 1)) > 1 and any(w in text.lower() for w in ECHOES)
    # torchrun tells the earliest error; that a neighbour is gone comes after why it is gone.
    stamp = str(int(time.time()) + (60 if echo else 0))
    stack = shown_lines("".join(traceback.format_exception(error)))
    content = {"message": text, "extraInfo": {"timestamp": stamp, "py_callstack": stack}}
    Path(path).write_text(json.dumps({"message": content}))


if __name__ == "__main__":
    sys.exit(main())
