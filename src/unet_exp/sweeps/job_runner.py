"""Run one job of a sweep in a process that a launcher started, here or on another machine."""

import os
import pickle
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, suppress
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, JobStatus, run_job, setup_globals
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, open_dict

from unet_exp.configuration import schema
from unet_exp.configuration.errors import PREEMPTED
from unet_exp.configuration.overrides import Override
from unet_exp.secrets.masking import learn, masked
from unet_exp.shown import screened


class LostJobError(RuntimeError):
    """A job ended without a result, or was stopped."""


@dataclass(frozen=True)
class JobRunner:
    """The data that a job needs in another process; it is pickled to be sent there."""

    context: HydraContext
    task: TaskFunction
    config: DictConfig
    """The configuration of the sweep."""
    singletons: dict[Any, Any] = field(default_factory=Singleton.get_state)
    folder: Path = field(default_factory=Path.cwd)
    command: list[str] = field(default_factory=lambda: list(sys.argv))

    def run(self, number: int, overrides: Sequence[str]) -> JobReturn:
        """Run one job in this process, which has no information about the sweep yet.

        If the job fails or is stopped, its result holds the error.

        Raises SystemExit with code ``PREEMPTED`` if the training was asked to stop and has been
        saved.
        """
        with suppress(FileNotFoundError):  # the launcher checks that the machines share it
            os.chdir(self.folder)
        learn(os.environ)
        with screened():
            sys.argv = masked(self.command)  # the job's record names the command that was typed
            Singleton.set_state(self.singletons)
            setup_globals()
            schema.register()
            try:
                result = run_job(
                    hydra_context=self.context,
                    task_function=self.task,
                    config=self.compose(number, overrides),
                    job_dir_key="hydra.sweep.dir",
                    job_subdir_key="hydra.sweep.subdir",
                )
            except KeyboardInterrupt:
                return failed(overrides, LostJobError("The job was interrupted."))
            except SystemExit as end:
                if end.code == PREEMPTED:
                    raise
                return failed(overrides, LostJobError(f"The job ended with exit code {end.code}."))
            except Exception as error:
                return failed(overrides, error)
        if (error := error_of(result)) is not None:
            return failed(overrides, error)
        # A launcher may store the result, so the result must not hold secrets.
        kept = JobReturn(overrides=masked(list(overrides)), status=result.status)
        kept.return_value = result.return_value
        return kept

    def folder_name(self, number: int, overrides: Sequence[str]) -> str:
        """Return the name of a job's folder within the folder of the sweep."""
        parsed = map(Override.parse, overrides)
        names = [str(one.value) for one in parsed if one.key == "hydra.sweep.subdir"]
        return names[-1] if names else str(number)

    def compose(self, number: int, overrides: Sequence[str]) -> DictConfig:
        """Return the configuration of one job, within the folder of the sweep."""
        config = self.context.config_loader.load_sweep_config(self.config, list(overrides))
        with open_dict(config):
            config.hydra.job.id = config.hydra.job.num = number
            # The folder's name may depend on values that differ between the jobs.
            config.hydra.sweep.dir = str(Path(self.config.hydra.sweep.dir).absolute())
        return config


def failed(overrides: Sequence[str], error: BaseException) -> JobReturn:
    """Return the result of a job that failed, with an error that any process can unpickle.

    >>> result = failed(["seed=1"], ValueError("no seed"))
    >>> result.status.name, result.overrides
    ('FAILED', ['seed=1'])
    """
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    except Exception:
        error = LostJobError(f"{type(error).__name__}: {error}")
    result = JobReturn(overrides=masked(list(overrides)), status=JobStatus.FAILED)
    result.return_value = error
    return result


def error_of(result: JobReturn) -> BaseException | None:
    """Return the error of a job that failed; None for one that completed.

    >>> error_of(failed(["seed=1"], ValueError("no seed")))
    ValueError('no seed')
    """
    if result.status == JobStatus.COMPLETED:
        return None
    try:
        with redirect_stderr(StringIO()):  # Hydra also prints that the job failed
            _ = result.return_value
    except BaseException as error:
        return error
    return None
