"""A dry run of ``hydra/launcher=slurm``: the same in processes of this machine."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unet_exp.runs.processes import handling
from unet_exp.sweeps.submitit_backend import SubmititBackend, SubmittedJob


@dataclass
class SlurmLocalBackend(SubmititBackend):
    """Runs the jobs of a sweep in processes of this machine, by submitit.

    Parameters
    ----------
    folder
        For submitit's logs.
    gpus_per_job
        GPUs that a job sees, from the first one on. 0: none; null: as many as its trainer needs.
    timeout_min, signal_delay_s, max_timeouts
        As for `unet_exp.sweeps.slurm_backend.SlurmBackend`.
    array_parallelism
        Jobs at a time.
    seconds_to_stop
        How long jobs may take to end when the sweep is interrupted.
    """

    folder: str = "submitit"
    gpus_per_job: int | None = 0
    timeout_min: int = 1440
    signal_delay_s: int = 120
    max_timeouts: int = 20
    array_parallelism: int = 1
    seconds_to_stop: float = 60.0

    def __post_init__(self) -> None:
        if self.array_parallelism < 1:
            raise ValueError(
                f"hydra.launcher.array_parallelism={self.array_parallelism} runs nothing. Give 1 "
                "or more."
            )

    def executor(self, submitit: Any, folder: Path, gpus: int) -> Any:
        """Return submitit's executor, with the resources of one job."""
        executor = submitit.LocalExecutor(folder, max_num_timeout=self.max_timeouts)
        executor.update_parameters(
            gpus_per_node=gpus,
            timeout_min=self.timeout_min,
            signal_delay_s=self.signal_delay_s,
        )
        return executor

    def run(
        self,
        executor: Any,
        function: SubmittedJob,
        numbers: list[int],
        overrides: list[list[str]],
        jobs: list[Any],
    ) -> None:
        """Start the jobs, so many at a time, and wait until all have ended."""
        for number, own in zip(numbers, overrides, strict=True):
            while sum(not job.done() for job in jobs) >= self.array_parallelism:
                time.sleep(0.1)
            # submitit would kill processes a second after Ctrl-C, unless they ignore it.
            with handling([signal.SIGINT], signal.SIG_IGN):
                jobs.append(executor.submit(function, number, own))
        while not all(job.done() for job in jobs):
            time.sleep(0.1)

    def cancel(self, jobs: list[Any]) -> None:
        """Ask the jobs to save themselves and to end, and wait until they have."""
        for job in jobs:
            if not job.done():
                os.kill(int(job.job_id), signal.SIGTERM)
        deadline = time.monotonic() + self.seconds_to_stop
        while time.monotonic() < deadline and not all(job.done() for job in jobs):
            time.sleep(0.1)
