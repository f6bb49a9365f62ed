"""``hydra/launcher=ray``: the jobs of a sweep, packed onto the GPUs of one machine or a cluster.

Hydra imports this module whenever it starts, so that it imports Ray only to launch.
"""

import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

if TYPE_CHECKING:
    from unet_exp.sweeps.job_runner import Sweep

#: Bytes of Ray's store of objects: our results are small, and /dev/shm may be.
STORE = 100_000_000
#: What schedulers of clusters send to ask for an end.
ASKING = (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)


class RayLauncher(Launcher):
    """Run each job of a sweep as a task of Ray, with GPUs of its own.

    Parameters
    ----------
    gpus_per_job
        A whole number, or a fraction by which several jobs share a GPU: 0.5 for two. None: one
        where there are GPUs, else none. A job sees its own in CUDA_VISIBLE_DEVICES.
    cpus_per_job
        None: an even share of the machine's for each job that its GPUs hold; one without GPUs.
    init
        Arguments of ``ray.init``. ``address`` of a running cluster (``auto``: the one of this
        machine); without one, Ray is started on this machine for as long as the sweep lasts.
    seconds_to_stop
        How long the jobs may take to save themselves when the sweep is interrupted.
    """

    def __init__(
        self,
        gpus_per_job: float | None = None,
        cpus_per_job: float | None = None,
        init: dict[str, Any] = {"address": None, "num_gpus": None, "num_cpus": None},  # noqa: B006
        seconds_to_stop: float = 120.0,
    ) -> None:
        for name, number in (("gpus_per_job", gpus_per_job), ("cpus_per_job", cpus_per_job)):
            if number is not None and (number < 0 or (number > 1 and number % 1)):
                raise ValueError(
                    f"hydra.launcher.{name}={number:g}: give a whole number, or a fraction below 1."
                )
        self.gpus_per_job, self.cpus_per_job = gpus_per_job, cpus_per_job
        self.init, self.seconds_to_stop = dict(init), seconds_to_stop
        self.sweep: Sweep | None = None

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Take from Hydra what it launches."""
        from unet_exp.sweeps.job_runner import Sweep

        self.sweep = Sweep(hydra_context, task_function, config)

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Run the jobs, as many at a time as there is room for; results in their order.

        Raises
        ------
        ModuleNotFoundError
            Without Ray.
        ConnectionError
            If no cluster answers at the address.
        ValueError
            If no machine has what one job needs.
        KeyboardInterrupt, Preempted
            If the sweep was asked to stop, and its jobs have saved themselves.
        """
        from unet_exp.configuration.errors import Preempted
        from unet_exp.configuration.override_errors import first_line
        from unet_exp.sweeps.job_runner import LostJobError, failed

        if self.sweep is None:
            raise RuntimeError("launch() needs setup() before it.")
        ray = connected(self.init)
        gpus, cpus = self.room(
            [node["Resources"] for node in ray.nodes() if node["Alive"]]  # pyright: ignore
        )
        Path(self.sweep.config.hydra.sweep.dir).mkdir(parents=True, exist_ok=True)
        stop = ray.remote(num_cpus=0)(Stop).remote()
        task = ray.remote(num_gpus=gpus, num_cpus=cpus, max_retries=0, max_calls=1)(in_worker)
        shared = ray.put(self.sweep)
        jobs = [
            task.remote(shared, stop, number, list(overrides))
            for number, overrides in enumerate(job_overrides, initial_job_idx)
        ]
        results = []
        before = {number: signal.getsignal(number) for number in ASKING}
        try:
            for number in ASKING:
                signal.signal(number, stopped)
            for job, overrides in zip(jobs, job_overrides, strict=True):
                try:
                    results.append(ray.get(job))
                except ray.exceptions.RayTaskError as error:
                    results.append(failed(overrides, LostJobError(last_line(error))))
                except ray.exceptions.RayError as error:
                    # Such as a worker that was killed for want of memory.
                    lost = LostJobError(f"The job's process is gone: {first_line(error)}")
                    results.append(failed(overrides, lost))
        except BaseException as end:
            # Ctrl-C, or a signal that asks to stop; once more, and nothing is waited for.
            stop.stop.remote()
            ray.wait(jobs, num_returns=len(jobs), timeout=self.seconds_to_stop)
            if isinstance(end, SystemExit):  # Ray has put a code of its own
                raise Preempted from None
            raise
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        return results

    def room(self, machines: Sequence[dict[str, float]]) -> tuple[float, float]:
        """Return how many GPUs and CPUs a job gets.

        >>> RayLauncher(gpus_per_job=0.5).room([{"CPU": 16, "GPU": 4}])
        (0.5, 2)
        >>> RayLauncher().room([{"CPU": 8}])
        (0, 1)
        >>> RayLauncher(gpus_per_job=3).room([{"CPU": 8, "GPU": 2}, {"CPU": 8, "GPU": 2}])
        Traceback (most recent call last):
        ValueError: hydra.launcher.gpus_per_job=3, but no machine of Ray's has more than 2 GPUs. ...
        """
        gpus, cpus = self.gpus_per_job, self.cpus_per_job
        most = max((machine.get("GPU", 0) for machine in machines), default=0)
        if gpus is None:
            gpus = 1 if most else 0
        if gpus > most:
            raise ValueError(
                f"hydra.launcher.gpus_per_job={gpus:g}, but no machine of Ray's has more than "
                f"{most:g} GPUs. Give {f'{most:g} or less' if most else '0'}."
            )
        fit = [machine for machine in machines if machine.get("GPU", 0) >= gpus]
        if cpus is None:
            shares = [m.get("CPU", 0) * gpus / m["GPU"] for m in fit if m.get("GPU") and gpus]
            cpus = max(1, int(min(shares, default=1)))
        most = max((machine.get("CPU", 0) for machine in fit), default=0)
        if cpus > most:
            raise ValueError(
                f"hydra.launcher.cpus_per_job={cpus:g}, but no machine of Ray's with "
                f"{gpus:g} GPUs has more than {most:g} CPUs. Give {most:g} or less."
            )
        return gpus, cpus


def stopped(number: int, frame: Any) -> NoReturn:
    """End a sweep that a scheduler asks to stop; its jobs save themselves."""
    sys.exit(1)


def connected(init: dict[str, Any]) -> Any:
    """Return the module ``ray``, connected to a cluster or to one that it starts here."""
    # Neither reports of use, nor advice on settings that we make.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            'hydra/launcher=ray needs Ray. Install it: pip install -e ".[ray]"'
        ) from error
    if ray.is_initialized():  # a sweeper launches several times
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
        raise ConnectionError(
            f"No Ray cluster answers at hydra.launcher.init.address={given['address']}. Start one "
            "with `ray start --head`, or leave the address out to use this machine alone."
        ) from error
    return ray


class Stop:
    """An actor that knows whether the sweep was interrupted, for workers on any machine."""

    def __init__(self) -> None:
        self.stopped = False

    def stop(self) -> None:
        """Tell all workers to stop."""
        self.stopped = True

    def asked(self) -> bool:
        """Tell whether they should."""
        return self.stopped


def in_worker(sweep: "Sweep", stop: Any, number: int, overrides: list[str]) -> JobReturn:
    """Run one job in a worker of Ray."""
    import ray

    from unet_exp.sweeps.job_runner import LostJobError, failed

    if ray.get(stop.asked.remote()):
        return failed(overrides, LostJobError("The sweep was interrupted before this job began."))
    if not sweep.folder.is_dir():
        missing = f"{os.uname().nodename} does not see {sweep.folder}."
        remedy = (
            "The machines of a Ray cluster need to share the folder that a sweep is started in."
        )
        return failed(overrides, FileNotFoundError(f"{missing} {remedy}"))
    try:
        with listening(stop):
            return sweep.run(number, overrides)
    except SystemExit:
        return failed(overrides, LostJobError("The job was asked to stop, and has saved itself."))


@contextmanager
def listening(stop: Any) -> Iterator[None]:
    """Send this process SIGTERM when the sweep is interrupted.

    Ray's own way, ``ray.cancel``, does not reach a process that waits for another one.
    """
    import ray
    from ray.exceptions import RayError

    done = threading.Event()

    def listen() -> None:
        while not done.wait(1.0):
            asked = True  # also when the sweep has died, and this actor with it
            with suppress(RayError):
                asked = ray.get(stop.asked.remote())
            if asked and not done.is_set():
                os.kill(os.getpid(), signal.SIGTERM)
                return

    threading.Thread(target=listen, daemon=True).start()
    try:
        yield
    finally:
        done.set()


def last_line(error: BaseException) -> str:
    """Return the last line, which says in a stack trace what went wrong."""
    return (str(error).strip().splitlines() or [type(error).__name__])[-1]
