"""``hydra/launcher=slurm``: each job of a sweep in SLURM's queue; ``slurm_local``: a dry run of it.

Both are submitit's. Hydra imports this module whenever it starts, so that it imports submitit only
to launch.
"""

import os
import shutil
import signal
import subprocess
import time
import uuid
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from unet_exp.runs.slurm import ended_by_slurm, in_queue

if TYPE_CHECKING:
    from unet_exp.sweeps.job_runner import Sweep

#: Seconds that a file may take to appear on another machine.
LATE = 20.0


class SubmititLauncher(Launcher):
    """What both launchers share: submit, wait for files, tell the jobs when the sweep ends."""

    top: Path
    folder: Path
    seconds_to_stop: float
    sweep: "Sweep | None" = None

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Take from Hydra what it launches."""
        from unet_exp.sweeps.job_runner import Sweep

        self.sweep = Sweep(hydra_context, task_function, config)

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Submit the jobs and wait for them; results in their order.

        Raises
        ------
        ModuleNotFoundError
            Without submitit.
        RuntimeError
            If there is no SLURM here, or it refuses the jobs.
        """
        if self.sweep is None:
            raise RuntimeError("launch() needs setup() before it.")
        # A folder at each launch: what others left are pickles, and must not pass for results.
        self.folder = self.top / uuid.uuid4().hex[:8]
        executor = self.executor(submitit())
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)  # what jobs are started with holds the secrets that they need
        # Another file at each launch: a sweep that goes on after Ctrl-C is not cancelled any more.
        cancelled = self.folder.absolute() / f"cancelled_{uuid.uuid4().hex[:8]}"
        errand = Errand(self.sweep, cancelled)
        numbered = list(enumerate(map(list, job_overrides), initial_job_idx))
        jobs: list[Any] = []
        try:
            return self.run(executor, errand, numbered, jobs)
        except BaseException:
            # Ctrl-C or SIGTERM; once more, and nothing is waited for.
            cancelled.touch()
            self.cancel(jobs)
            raise
        finally:
            for job in jobs:
                for path in (job.paths.submitted_pickle, job.paths.result_pickle):
                    path.unlink(missing_ok=True)

    @abstractmethod
    def executor(self, submitit: Any) -> Any:
        """Return submitit's executor, with what one job needs."""

    @abstractmethod
    def run(
        self,
        executor: Any,
        errand: "Errand",
        numbered: list[tuple[int, list[str]]],
        jobs: list[Any],
    ) -> list[JobReturn]:
        """Run the jobs, each kept in ``jobs`` from when it is submitted."""

    @abstractmethod
    def cancel(self, jobs: list[Any]) -> None:
        """Ask the jobs to save themselves and to end, and wait until they have."""


class SlurmLauncher(SubmititLauncher):
    """Run each job of a sweep as a job of SLURM, all as one array.

    Parameters
    ----------
    folder
        Where submitit keeps the jobs' scripts and what they print; on a disk that all machines see.
    name
        What squeue shows.
    gpus_per_job, cpus_per_job, mem_gb
        Of one machine: a job never spreads over several. ``gpus_per_job=0`` asks for none.
    timeout_min
        Minutes after which SLURM ends a job. One that is not done by then is told
        ``signal_delay_s`` seconds before, saves itself and queues again, ``max_timeouts`` times.
    array_parallelism
        Jobs that may run at a time.
    partition, account, qos, constraint
        As of sbatch.
    additional_parameters
        Any others of sbatch: ``{mail-type: END, mail-user: me@lab.org}``.
    setup
        Lines of shell before the job, such as ``[module load cuda]``.
    seconds_to_stop
        How long jobs may take to end when the sweep is interrupted.
    """

    def __init__(
        self,
        folder: str = "submitit",
        name: str = "unet_exp",
        gpus_per_job: int = 1,
        cpus_per_job: int = 8,
        mem_gb: float | None = None,
        timeout_min: int = 1440,
        signal_delay_s: int = 120,
        max_timeouts: int = 20,
        array_parallelism: int = 32,
        partition: str | None = None,
        account: str | None = None,
        qos: str | None = None,
        constraint: str | None = None,
        additional_parameters: dict[str, Any] = {},  # noqa: B006 - a schema needs the default
        setup: list[str] = [],  # noqa: B006
        seconds_to_stop: float = 60.0,
    ) -> None:
        self.top, self.seconds_to_stop = Path(folder), seconds_to_stop
        self.max_timeouts = max_timeouts
        given = {
            "name": name,
            "nodes": 1,
            "tasks_per_node": 1,
            "gpus_per_node": gpus_per_job or None,
            "cpus_per_task": cpus_per_job,
            "mem_gb": mem_gb,
            "timeout_min": timeout_min,
            "slurm_signal_delay_s": signal_delay_s,
            "slurm_array_parallelism": array_parallelism,
            "slurm_partition": partition,
            "slurm_account": account,
            "slurm_qos": qos,
            "slurm_constraint": constraint,
            "slurm_additional_parameters": dict(additional_parameters),
            "slurm_setup": list(setup),
        }
        self.parameters = {key: value for key, value in given.items() if value not in (None, [])}

    def executor(self, submitit: Any) -> Any:
        """Return submitit's executor, with what one job needs."""
        if shutil.which("srun") is None:
            raise RuntimeError(
                "hydra/launcher=slurm needs SLURM, and there is no srun here. Start the sweep on a "
                "login node of the cluster, or take hydra/launcher=slurm_local or ray."
            )
        executor = submitit.AutoExecutor(
            self.folder, cluster="slurm", slurm_max_num_timeout=self.max_timeouts
        )
        executor.update_parameters(**self.parameters)
        return executor

    def run(
        self,
        executor: Any,
        errand: "Errand",
        numbered: list[tuple[int, list[str]]],
        jobs: list[Any],
    ) -> list[JobReturn]:
        """Run the jobs, each kept in ``jobs`` from when it is submitted."""
        from submitit.core.utils import FailedJobError, FailedSubmissionError

        try:
            jobs += executor.map_array(errand, *zip(*numbered, strict=True))
        except (FailedJobError, FailedSubmissionError) as error:
            said = next((x for x in str(error).splitlines() if "error:" in x), str(error))
            raise RuntimeError(
                f"SLURM refuses the jobs: {said.partition('error:')[2].strip() or said}. What they "
                "ask for stands in hydra.launcher (gpus_per_job, cpus_per_job, mem_gb, partition)."
            ) from error
        seen = {job.job_id: time.monotonic() for job in jobs}
        while open_jobs := [job for job in jobs if not job.paths.result_pickle.exists()]:
            queued = in_queue()
            now = time.monotonic()
            if queued is not None:
                seen |= {job.job_id: now for job in open_jobs if job.job_id in queued}
                if all(now - seen[job.job_id] > LATE for job in open_jobs):
                    break
            time.sleep(min(10.0, 1.0 + (now - min(seen.values())) / 10))
        return [result(job, overrides) for job, (_, overrides) in zip(jobs, numbered, strict=True)]

    def cancel(self, jobs: list[Any]) -> None:
        """Ask the jobs to save themselves and to end, and wait until they have."""
        if not jobs:
            return
        mine = {job.job_id for job in jobs}
        words = ["scancel", *mine]
        subprocess.run(words, check=False, capture_output=True)  # noqa: S603 - ids of SLURM's
        deadline = time.monotonic() + self.seconds_to_stop
        while time.monotonic() < deadline:
            queued = in_queue()
            if queued is not None and not mine & queued.keys():
                return
            time.sleep(1.0)


class SlurmLocalLauncher(SubmititLauncher):
    """Run what ``hydra/launcher=slurm`` would, in processes of this machine.

    Parameters
    ----------
    folder
        Where submitit keeps what the jobs print.
    gpus_per_job
        GPUs that a job sees, from the first one on. 0: none.
    timeout_min, signal_delay_s
        A job is told ``signal_delay_s`` seconds before its minutes are over, and goes on anew.
    max_timeouts
        How often.
    array_parallelism
        Jobs at a time.
    seconds_to_stop
        How long jobs may take to end when the sweep is interrupted.
    """

    def __init__(
        self,
        folder: str = "submitit",
        gpus_per_job: int = 0,
        timeout_min: int = 1440,
        signal_delay_s: int = 120,
        max_timeouts: int = 20,
        array_parallelism: int = 1,
        seconds_to_stop: float = 60.0,
    ) -> None:
        if array_parallelism < 1:
            raise ValueError(
                f"hydra.launcher.array_parallelism={array_parallelism} runs nothing. Give 1 or "
                "more."
            )
        self.top, self.seconds_to_stop = Path(folder), seconds_to_stop
        self.array_parallelism, self.max_timeouts = array_parallelism, max_timeouts
        self.parameters = {
            "gpus_per_node": gpus_per_job,
            "timeout_min": timeout_min,
            "signal_delay_s": signal_delay_s,
        }

    def executor(self, submitit: Any) -> Any:
        """Return submitit's executor, with what one job needs."""
        executor = submitit.LocalExecutor(self.folder, max_num_timeout=self.max_timeouts)
        executor.update_parameters(**self.parameters)
        return executor

    def run(
        self,
        executor: Any,
        errand: "Errand",
        numbered: list[tuple[int, list[str]]],
        jobs: list[Any],
    ) -> list[JobReturn]:
        """Run the jobs, each kept in ``jobs`` from when it is submitted."""
        for number, overrides in numbered:
            while sum(not job.done() for job in jobs) >= self.array_parallelism:
                time.sleep(0.1)
            with without_interrupts():
                jobs.append(executor.submit(errand, number, overrides))
        while not all(job.done() for job in jobs):
            time.sleep(0.1)
        return [result(job, overrides) for job, (_, overrides) in zip(jobs, numbered, strict=True)]

    def cancel(self, jobs: list[Any]) -> None:
        """Ask the jobs to save themselves and to end, and wait until they have."""
        for job in jobs:
            if not job.done():
                os.kill(int(job.job_id), signal.SIGTERM)
        deadline = time.monotonic() + self.seconds_to_stop
        while time.monotonic() < deadline and not all(job.done() for job in jobs):
            time.sleep(0.1)


class Errand:
    """What submitit runs on another machine: one job, and once more if it was preempted.

    Parameters
    ----------
    cancelled
        A file that is there once the sweep was interrupted.
    """

    def __init__(self, sweep: "Sweep", cancelled: Path) -> None:
        self.sweep, self.cancelled = sweep, cancelled

    def __call__(self, number: int, overrides: list[str]) -> JobReturn:
        """Run one job; if it was asked to stop and has saved itself, queue it again."""
        from submitit import JobEnvironment

        from unet_exp.sweeps.job_runner import LostJobError, failed

        # Lightning would take the number of tasks for that of its processes, and requeue itself.
        os.environ.pop("SLURM_NTASKS", None)
        try:
            return self.sweep.run(number, overrides)
        except SystemExit:
            if self.cancelled.exists():
                stopped = LostJobError("The job was asked to stop, and has saved itself.")
                return failed(overrides, stopped)
            if ended_by_slurm():
                raise  # and leave no result: SLURM itself may queue the job again
        # The signal by which submitit lets a job queue again, in place and with the same words.
        signal.raise_signal(getattr(signal, f"SIG{JobEnvironment.USR_SIG}"))
        raise LostJobError("The job was asked to stop, and could not queue again.")

    def checkpoint(self, number: int, overrides: list[str]) -> Any:
        """Return what submitit is to run when the job comes up again: the same."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self, number, overrides)


def submitit() -> Any:
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
    """Return what a job of submitit's left, or that it left nothing."""
    from submitit.core.utils import pickle_load

    from unet_exp.sweeps.job_runner import LostJobError, failed

    if not job.paths.result_pickle.exists():
        return failed(overrides, LostJobError(f"The job's process is gone; see {job.paths.stderr}"))
    outcome, content = pickle_load(job.paths.result_pickle)
    if outcome == "success":
        return content
    last = str(content).strip().splitlines()[-1]
    return failed(overrides, LostJobError(f"{last} More is in {job.paths.stderr}"))


@contextmanager
def without_interrupts() -> Iterator[None]:
    """Start processes that Ctrl-C does not reach; they are told in another way.

    submitit would kill them a second after it.
    """
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
