"""Run the jobs of a sweep with submitit: common code for SLURM and for its dry run here.

submitit is imported only when jobs are launched.
"""

import os
import signal
import uuid
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn

from unet_exp.runs.slurm import ended_by_slurm
from unet_exp.sweeps.job_runner import JobRunner, LostJobError, failed
from unet_exp.sweeps.needed_gpus import needed_gpus


class SubmititBackend(ABC):
    """Submit jobs, wait for their result files, and stop them when the sweep is interrupted."""

    folder: str
    gpus_per_job: int | None
    seconds_to_stop: float

    def launch(
        self, runner: JobRunner, job_overrides: Sequence[Sequence[str]], first: int
    ) -> list[JobReturn]:
        """Submit the jobs and wait for them; return results in their order.

        Raises ModuleNotFoundError without submitit, and RuntimeError if there is no SLURM here or
        it refuses the jobs.
        """
        # Each launch has a new folder. So pickles of others cannot be read as results, and the mark
        # of an earlier Ctrl-C does not cancel a resumed sweep.
        folder = Path(self.folder) / uuid.uuid4().hex[:8]
        executor = self.executor(import_submitit(), folder, self.gpus(runner, job_overrides))
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)  # the pickled jobs hold the secrets that they need
        cancelled = folder.absolute() / "cancelled"
        jobs: list[Any] = []
        numbers = list(range(first, first + len(job_overrides)))
        overrides = [list(own) for own in job_overrides]
        try:
            self.run(executor, SubmittedJob(runner, cancelled), numbers, overrides, jobs)
            return [result(job, own) for job, own in zip(jobs, overrides, strict=True)]
        except BaseException:
            # Ctrl-C or SIGTERM. A second one does not wait for the jobs.
            cancelled.touch()
            self.cancel(jobs)
            raise
        finally:
            for job in jobs:
                for path in (job.paths.submitted_pickle, job.paths.result_pickle):
                    path.unlink(missing_ok=True)

    def gpus(self, runner: JobRunner, job_overrides: Sequence[Sequence[str]]) -> int:
        """Return how many GPUs each job gets."""
        if self.gpus_per_job is not None:
            return self.gpus_per_job
        return needed_gpus(runner, job_overrides)

    @abstractmethod
    def executor(self, submitit: Any, folder: Path, gpus: int) -> Any:
        """Return submitit's executor, with the resources of one job."""

    @abstractmethod
    def run(
        self,
        executor: Any,
        function: "SubmittedJob",
        numbers: list[int],
        overrides: list[list[str]],
        jobs: list[Any],
    ) -> None:
        """Submit all jobs, append each to ``jobs`` at once, and wait until they have ended."""

    @abstractmethod
    def cancel(self, jobs: list[Any]) -> None:
        """Ask the jobs to save themselves and to end, and wait until they have."""


class SubmittedJob:
    """The function that submitit calls for a job, on any machine, and again after a preemption.

    Parameters
    ----------
    cancelled
        A file that exists once the sweep was interrupted.
    """

    def __init__(self, runner: JobRunner, cancelled: Path) -> None:
        self.runner, self.cancelled = runner, cancelled

    def __call__(self, number: int, overrides: list[str]) -> JobReturn:
        """Run one job; requeue it if it was asked to stop and has been saved."""
        from submitit import JobEnvironment

        # Lightning would read it as the number of its own processes, and requeue the job itself.
        os.environ.pop("SLURM_NTASKS", None)
        try:
            return self.runner.run(number, overrides)
        except SystemExit:
            if self.cancelled.exists():
                stopped = LostJobError("The job was asked to stop, and has saved itself.")
                return failed(overrides, stopped)
            if ended_by_slurm():
                raise  # and leave no result: SLURM itself may requeue the job
        # submitit requeues a job on this signal: in the same folder, with the same overrides.
        signal.raise_signal(getattr(signal, f"SIG{JobEnvironment.USR_SIG}"))
        raise LostJobError("The job was asked to stop, and could not be requeued.")

    def checkpoint(self, number: int, overrides: list[str]) -> Any:
        """Return the function that submitit runs after requeuing the job: the same one."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self, number, overrides)


def import_submitit() -> Any:
    """Return the module ``submitit``."""
    try:
        import submitit
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "hydra/launcher=slurm and slurm_local need submitit. Install it: "
            'pip install -e ".[slurm]"'
        ) from error
    return submitit


def result(job: Any, overrides: list[str]) -> JobReturn:
    """Return the result that a job has written; a job without a result has failed."""
    from submitit.core.utils import pickle_load

    if not job.paths.result_pickle.exists():
        return failed(overrides, LostJobError(f"The job's process is gone; see {job.paths.stderr}"))
    outcome, content = pickle_load(job.paths.result_pickle)
    if outcome == "success":
        return content
    last = str(content).strip().splitlines()[-1]
    return failed(overrides, LostJobError(f"{last} More is in {job.paths.stderr}"))
