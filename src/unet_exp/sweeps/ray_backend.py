"""Run the jobs of a sweep with Ray, on the GPUs of one machine or of a cluster.

Ray is imported only when jobs are launched.
"""

import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn

from unet_exp.configuration.errors import Preempted
from unet_exp.configuration.override_errors import first_line
from unet_exp.runs.processes import handling
from unet_exp.sweeps.job_runner import JobRunner, LostJobError, failed
from unet_exp.sweeps.needed_gpus import needed_gpus

#: Bytes of Ray's object store. Our results are small, and /dev/shm may be small too.
STORE = 100_000_000
#: Signals by which cluster schedulers ask a process to stop.
STOP_SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)


@dataclass
class RayBackend:
    """Run each job of a sweep as a Ray task with its own GPUs.

    Parameters
    ----------
    gpus_per_job
        A whole number, or a fraction by which several jobs share a GPU: 0.5 for two. None: as many
        as the trainer needs (none with ``trainer=cpu``), and none where there are no GPUs. A job
        sees its own in CUDA_VISIBLE_DEVICES.
    cpus_per_job
        None means an equal part of the machine's CPUs for each job that fits on its GPUs, and one
        CPU for a job without GPUs.
    init
        Arguments of ``ray.init``, such as the ``address`` of a running cluster (``auto`` for that
        of this machine). Without an address, Ray runs on this machine while the sweep runs.
    seconds_to_stop
        Time that jobs have to save their training when the sweep is interrupted.
    """

    gpus_per_job: float | None = None
    cpus_per_job: float | None = None
    init: dict[str, Any] | None = None
    seconds_to_stop: float = 120.0

    def __post_init__(self) -> None:
        for name in ("gpus_per_job", "cpus_per_job"):
            number = getattr(self, name)
            if number is not None and (number < 0 or (number > 1 and number % 1)):
                raise ValueError(
                    f"hydra.launcher.{name}={number:g}: give a whole number, or a fraction below 1."
                )

    def launch(
        self, runner: JobRunner, job_overrides: Sequence[Sequence[str]], first: int
    ) -> list[JobReturn]:
        """Run the jobs, as many at a time as fit; return results in their order.

        Raises ModuleNotFoundError without Ray, ConnectionError if no cluster answers at the
        address, ValueError if no machine has the resources for one job, and KeyboardInterrupt or
        Preempted if the sweep was asked to stop and its jobs have been saved.
        """
        ray = connect(self.init or {})
        machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]  # pyright: ignore
        needed = needed_gpus(runner, job_overrides) if self.gpus_per_job is None else 0
        gpus, cpus = self.share(machines, needed)
        Path(runner.config.hydra.sweep.dir).mkdir(parents=True, exist_ok=True)
        stop = stop_flag()
        task = ray.remote(num_gpus=gpus, num_cpus=cpus, max_retries=0, max_calls=1)(run_in_worker)
        shared = ray.put(runner)
        jobs = [
            task.remote(shared, stop, number, list(overrides))
            for number, overrides in enumerate(job_overrides, first)
        ]
        with handling(STOP_SIGNALS, lambda *_: sys.exit(1)):
            try:
                return [wait(job, own) for job, own in zip(jobs, job_overrides, strict=True)]
            except BaseException as end:
                # Ctrl-C or a stop signal. A second one does not wait for the jobs.
                stop.set.remote()
                ray.wait(jobs, num_returns=len(jobs), timeout=self.seconds_to_stop)
                if isinstance(end, SystemExit):  # Ray replaces the exit code
                    raise Preempted from None
                raise

    def share(self, machines: Sequence[dict[str, float]], needed: int = 1) -> tuple[float, float]:
        """Return how many GPUs and CPUs a job gets, whose trainer needs ``needed`` GPUs.

        >>> RayBackend(gpus_per_job=0.5).share([{"CPU": 16, "GPU": 4}])
        (0.5, 2)
        >>> RayBackend().share([{"CPU": 8}])
        (0, 1)
        >>> RayBackend().share([{"CPU": 8, "GPU": 2}], needed=0)
        (0, 1)
        >>> RayBackend(gpus_per_job=3).share([{"CPU": 8, "GPU": 2}, {"CPU": 8, "GPU": 2}])
        Traceback (most recent call last):
        ValueError: hydra.launcher.gpus_per_job=3, but no machine of Ray's has more than 2 GPUs. ...
        """
        gpus, cpus = self.gpus_per_job, self.cpus_per_job
        most = max((machine.get("GPU", 0) for machine in machines), default=0)
        if gpus is None:
            gpus = needed if most else 0
        if gpus > most:
            asked = "hydra.launcher.gpus_per_job" if self.gpus_per_job else "trainer.devices"
            raise ValueError(
                f"{asked}={gpus:g}, but no machine of Ray's has more than "
                f"{most:g} GPUs. Give {f'{most:g} or less' if most else '0'}."
            )
        suitable = [machine for machine in machines if machine.get("GPU", 0) >= gpus]
        if cpus is None:
            shares = [m.get("CPU", 0) * gpus / m["GPU"] for m in suitable if m.get("GPU") and gpus]
            cpus = max(1, int(min(shares, default=1)))
        most = max((machine.get("CPU", 0) for machine in suitable), default=0)
        if cpus > most:
            raise ValueError(
                f"hydra.launcher.cpus_per_job={cpus:g}, but no machine of Ray's with "
                f"{gpus:g} GPUs has more than {most:g} CPUs. Give {most:g} or less."
            )
        return gpus, cpus


def connect(init: dict[str, Any]) -> Any:
    """Return the module ``ray``, connected to a cluster or to one that it starts here."""
    # Send no usage statistics, and do not warn about settings that this project chooses.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            'hydra/launcher=ray needs Ray. Install it: pip install -e ".[ray]"'
        ) from error
    if ray.is_initialized():  # a search launches several times
        return ray
    given = {key: value for key, value in init.items() if value is not None}
    given.setdefault("address", os.environ.get("RAY_ADDRESS") or "local")
    if given["address"] == "local":
        given = {"include_dashboard": False, "object_store_memory": STORE} | given
    given = {"log_to_driver": False, "logging_level": "ERROR"} | given
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ray.init(**given)
    except ConnectionError as error:
        if "AuthenticationError" in str(error.__cause__):
            raise ConnectionError(
                f"The Ray cluster at hydra.launcher.init.address={given['address']} wants a token. "
                "Set RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN to the token of its first machine, "
                "which stands there in ~/.ray/auth_token."
            ) from error
        raise ConnectionError(
            f"No Ray cluster answers at hydra.launcher.init.address={given['address']}. Start one "
            "with `ray start --head`, or leave the address out to use this machine alone."
        ) from error
    return ray


def wait(job: Any, overrides: Sequence[str]) -> JobReturn:
    """Wait for one Ray task and return its result; a job without a result has failed."""
    import ray
    from ray.exceptions import RayError, RayTaskError

    try:
        return ray.get(job)
    except RayTaskError as error:  # the last line of its stack trace says what went wrong
        lines = str(error).strip().splitlines() or [type(error).__name__]
        return failed(overrides, LostJobError(lines[-1]))
    except RayError as error:  # such as a worker that ran out of memory, or a lost machine
        reason = first_line(error).partition(", node ID")[0]
        return failed(overrides, LostJobError(f"The job's process is gone: {reason}"))


class StopFlag:
    """A Ray actor with which the sweep asks the workers of all machines to stop."""

    def __init__(self) -> None:
        self.stopped = False

    def set(self) -> None:
        """Ask all workers to stop."""
        self.stopped = True

    def is_set(self) -> bool:
        """Tell whether the workers should stop."""
        return self.stopped


def stop_flag() -> Any:
    """Create the flag on this machine, so that no other machine takes it along when it dies."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    return ray.remote(num_cpus=0, scheduling_strategy=here)(StopFlag).remote()  # pyright: ignore


def run_in_worker(runner: JobRunner, stop: Any, number: int, overrides: list[str]) -> JobReturn:
    """Run one job in a Ray worker."""
    import ray

    if ray.get(stop.is_set.remote()):
        return failed(overrides, LostJobError("The sweep was interrupted before this job began."))
    if not runner.folder.is_dir():
        return failed(overrides, FileNotFoundError(
            f"{os.uname().nodename} does not see {runner.folder}. The machines of a Ray cluster "
            "need to share the folder that a sweep is started in."
        ))  # fmt: skip
    try:
        with terminated_by(stop):
            return runner.run(number, overrides)
    except SystemExit:
        return failed(overrides, LostJobError("The job was asked to stop, and has saved itself."))


@contextmanager
def terminated_by(stop: Any) -> Iterator[None]:
    """Send this process SIGTERM when the flag is set.

    ``ray.cancel`` does not reach a process that waits for another one.
    """
    import ray
    from ray.exceptions import RayError

    done = threading.Event()

    def listen() -> None:
        while not done.wait(1.0):
            asked = True  # the sweep has ended, and the flag with it
            with suppress(RayError):
                asked = ray.get(stop.is_set.remote())
            if asked and not done.is_set():
                os.kill(os.getpid(), signal.SIGTERM)
                return

    threading.Thread(target=listen, daemon=True).start()
    try:
        yield
    finally:
        done.set()
