"""Jobs of a sweep as one job array of SLURM."""

import shutil
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unet_exp.records.sweep_folder import SweepFolder
from unet_exp.runs.slurm import in_queue
from unet_exp.sweeps.submitit_backend import SubmititBackend, SubmittedJob

#: Seconds until a file that another machine has written is visible here.
LATE = 20.0


@dataclass
class SlurmBackend(SubmititBackend):
    """Runs the jobs of a sweep as one job array of SLURM.

    Parameters
    ----------
    folder
        For submitit's job scripts and logs; on a disk that all machines see.
    name
        What squeue shows.
    gpus_per_job
        None: as many as its trainer needs, so none with ``trainer=cpu``, one where
        ``trainer.devices`` says nothing else. A job never spreads over several machines.
    cpus_per_job, mem_gb
        Of one machine.
    timeout_min
        Minutes after which SLURM ends a job.
    signal_delay_s
        A job that is not done so many seconds before its end saves itself and is requeued.
    max_timeouts
        How often a job is requeued at most.
    array_parallelism
        Jobs that may run at a time.
    partition, account, qos, constraint
        As in sbatch.
    additional_parameters
        Other options of sbatch: ``{mail-type: END, mail-user: me@lab.org}``.
    setup
        Shell lines before the job, such as ``[module load cuda]``.
    seconds_to_stop
        How long jobs may take to end when the sweep is interrupted.
    """

    folder: str = "submitit"
    name: str = "unet_exp"
    gpus_per_job: int | None = None
    cpus_per_job: int = 8
    mem_gb: float | None = None
    timeout_min: int = 1440
    signal_delay_s: int = 120
    max_timeouts: int = 20
    array_parallelism: int = 32
    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    constraint: str | None = None
    additional_parameters: dict[str, Any] | None = None
    setup: tuple[str, ...] = ()
    seconds_to_stop: float = 60.0

    def executor(self, submitit: Any, folder: Path, gpus: int) -> Any:
        """Return submitit's executor, with the resources of one job."""
        if shutil.which("srun") is None:
            raise RuntimeError(
                "hydra/launcher=slurm needs SLURM, and there is no srun here. Start the sweep on a "
                "login node of the cluster, or take hydra/launcher=slurm_local or ray."
            )
        executor = submitit.AutoExecutor(
            folder, cluster="slurm", slurm_max_num_timeout=self.max_timeouts
        )
        given = {
            "name": self.name,
            "nodes": 1,
            "tasks_per_node": 1,
            "gpus_per_node": gpus or None,
            "cpus_per_task": self.cpus_per_job,
            "mem_gb": self.mem_gb,
            "timeout_min": self.timeout_min,
            "slurm_signal_delay_s": self.signal_delay_s,
            "slurm_array_parallelism": self.array_parallelism,
            "slurm_partition": self.partition,
            "slurm_account": self.account,
            "slurm_qos": self.qos,
            "slurm_constraint": self.constraint,
            "slurm_additional_parameters": dict(self.additional_parameters or {}),
            "slurm_setup": list(self.setup) or None,
        }
        executor.update_parameters(**{k: v for k, v in given.items() if v is not None})
        return executor

    def run(
        self,
        executor: Any,
        function: SubmittedJob,
        numbers: list[int],
        overrides: list[list[str]],
        jobs: list[Any],
    ) -> None:
        """Submit all jobs as one array, and wait until each has a result or is gone."""
        from submitit.core.utils import FailedJobError, FailedSubmissionError

        try:
            jobs += executor.map_array(function, numbers, overrides)
        except (FailedJobError, FailedSubmissionError) as error:
            said = next((x for x in str(error).splitlines() if "error:" in x), str(error))
            raise RuntimeError(
                f"SLURM refuses the jobs: {said.partition('error:')[2].strip() or said}. What they "
                "ask for stands in hydra.launcher (gpus_per_job, cpus_per_job, mem_gb, partition)."
            ) from error
        folder = SweepFolder(Path(function.runner.config.hydra.sweep.dir))
        names = {
            job.job_id: function.runner.folder_name(number, own)
            for job, number, own in zip(jobs, numbers, overrides, strict=True)
        }
        try:
            self.wait(jobs, names, folder)
        finally:
            folder.queue.unlink(missing_ok=True)

    def wait(self, jobs: list[Any], names: dict[str, str], folder: SweepFolder) -> None:
        """Wait until each job has a result or is gone; record which ones wait in the queue.

        Parameters
        ----------
        names
            The folder of each job in ``folder``, by SLURM's id of the job.
        """
        seen = {job.job_id: time.monotonic() for job in jobs}
        while unfinished := [job for job in jobs if not job.paths.result_pickle.exists()]:
            queued = in_queue()
            now = time.monotonic()
            if queued is not None:
                seen |= {job.job_id: now for job in unfinished if job.job_id in queued}
                waiting = (job for job in names if job in queued and queued[job].waits)
                with suppress(OSError):  # such as a full disk
                    folder.write_queue({names[job]: queued[job].reason for job in waiting})
                if all(now - seen[job.job_id] > LATE for job in unfinished):
                    break
            time.sleep(min(10.0, 1.0 + (now - min(seen.values())) / 10))

    def cancel(self, jobs: list[Any]) -> None:
        """Ask the jobs to save themselves and to end, and wait until they have."""
        if not jobs:
            return
        mine = {job.job_id for job in jobs}
        command = ["scancel", *mine]
        subprocess.run(command, check=False, capture_output=True)  # noqa: S603 - ids of SLURM's
        deadline = time.monotonic() + self.seconds_to_stop
        while time.monotonic() < deadline:
            queued = in_queue()
            if queued is not None and not mine & queued.keys():
                return
            time.sleep(1.0)
