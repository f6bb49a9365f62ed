"""A program that launches small jobs: ``python -m tests.sweeps.launching TASK SEEDS WORD``.

It prints a line of JSON: the state and the value or error of each job, in the order it got them.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra._internal.callbacks import Callbacks
from hydra._internal.hydra import Hydra
from hydra._internal.utils import create_config_search_path
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.types import HydraContext, RunMode
from omegaconf import DictConfig

from tests.running import TINY
from unet_exp.configuration import groups, schema
from unet_exp.records.run_folder import RunFolder
from unet_exp.sweeps.job_runner import error_of

ROOT = Path(__file__).parents[2]
#: Seconds within which a machine with other work on it does what takes one.
PATIENCE = 120.0


def folder() -> Path:
    return Path(HydraConfig.get().runtime.output_dir)


def until(paths: Sequence[Path]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not all(path.exists() for path in paths):
        if time.monotonic() > deadline:
            raise TimeoutError(str(paths))
        time.sleep(0.02)


def meet(cfg: DictConfig) -> float:
    """Wait for another job that runs at the same time, then print the visible GPUs."""
    (folder() / "gpus").write_text(os.environ.get("CUDA_VISIBLE_DEVICES", "none"))
    if cfg.seed == 13:
        raise ValueError("thirteen")
    if cfg.seed < 2:
        until([folder().parent / job / "gpus" for job in "01"])
    return cfg.seed * 0.5


def die(cfg: DictConfig) -> float:
    """With seed 13, exit without a message, like a process that is killed for lack of memory."""
    if cfg.seed == 13:
        os.kill(os.getpid(), signal.SIGKILL)
    return cfg.seed * 0.5


def save(cfg: DictConfig) -> float:
    """Train until asked to stop, by SIGTERM or SIGUSR, then save; the second time to the end."""
    if (folder() / "saved").exists():
        (folder() / "went_on").touch()
        return 1.0

    def stop(number: int, frame: object) -> None:
        (folder() / "saved").write_text(signal.Signals(number).name)
        sys.exit(75)

    before = {n: signal.signal(n, stop) for n in (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)}
    (folder() / "begun").touch()
    try:
        time.sleep(PATIENCE)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return 0.0


def main(task: str, seeds: str, *words: str) -> None:
    schema.register()
    path = create_config_search_path(str(groups.CONF))
    hydra = Hydra.create_main_hydra2(task_name="train", config_search_path=path)
    cfg = hydra.compose_config("train", list(words), run_mode=RunMode.MULTIRUN)
    context = HydraContext(config_loader=hydra.config_loader, callbacks=Callbacks(cfg))
    launcher = Plugins.instance().instantiate_launcher(
        hydra_context=context, task_function=globals()[task], config=cfg
    )
    common = [word for word in words if not word.startswith("hydra")]
    jobs = [[*common, f"seed={seed}"] for seed in seeds.split(",")]
    try:
        results = launcher.launch(jobs, initial_job_idx=0)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        sys.exit(f"{type(error).__name__}: {error}")
    print(json.dumps([(r.status.name, str(error_of(r) or r.return_value)) for r in results]))


class Program(subprocess.Popen[str]):
    """A process that a test which fails does not wait for."""

    def __exit__(self, kind: type[BaseException] | None, *rest: Any) -> None:
        if kind is not None:
            self.kill()
        super().__exit__(kind, *rest)


def started(where: Path, *arguments: str) -> Program:
    """Start this program in a folder; the sweep's is ``where``/sweep."""
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    return Program(
        [sys.executable, "-m", __name__, *arguments, "hydra.sweep.dir=sweep"],
        cwd=where,
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def launched(where: Path, *arguments: str) -> tuple[list[tuple[str, str]], str]:
    """Run this program to its end; return what it printed of its jobs, and its errors."""
    with started(where, *arguments) as process:
        out, err = process.communicate(timeout=2 * PATIENCE)
    return [tuple(job) for job in json.loads(out.splitlines()[-1])] if out else [], err


def training(where: Path, log: str, *words: str) -> Program:
    """Start ``train.py -m`` in a folder as a person would; its output goes to the file ``log``."""
    with (where / log).open("a") as file:
        return Program(
            [sys.executable, str(ROOT / "train.py"), "-m", *words],
            cwd=where,
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
            stdout=file,
            stderr=file,
            text=True,
        )


def trained(where: Path, *words: str) -> dict[str, str]:
    """Train with two seeds to the end; return each job's state, or its error."""
    with training(where, "log", *TINY, "seed=1,2", "hydra.sweep.dir=sweep", *words) as program:
        program.wait(2 * PATIENCE)
    return states(where / "sweep")


def states(sweep: Path) -> dict[str, str]:
    """Return the state of each job of a sweep that has begun, or its error."""
    runs = [RunFolder(path.parent) for path in sorted(sweep.glob("*/summary.json"))]
    found = {run.path.name: run.read_summary() for run in runs}
    return {job: record.get("error") or record.get("state") for job, record in found.items()}


if __name__ == "__main__":
    main(*sys.argv[1:])
