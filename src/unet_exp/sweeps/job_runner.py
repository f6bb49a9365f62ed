"""A job of a sweep in a process that a launcher started, on this machine or another."""

import os
import pickle
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, JobStatus, run_job, setup_globals
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, open_dict

from unet_exp.configuration import schema
from unet_exp.configuration.errors import PREEMPTED
from unet_exp.secrets.masking import learn, masked
from unet_exp.shown import screened


class LostJobError(RuntimeError):
    """A job that came to an end without saying so, or that was stopped."""


@dataclass(frozen=True)
class Sweep:
    """What each job of a sweep needs in order to run elsewhere; made to be pickled."""

    context: HydraContext
    task: TaskFunction
    config: DictConfig
    singletons: dict[Any, Any] = field(default_factory=Singleton.get_state)
    folder: Path = field(default_factory=Path.cwd)
    words: list[str] = field(default_factory=lambda: list(sys.argv))

    def compose(self, number: int, overrides: Sequence[str]) -> DictConfig:
        """Return the configuration of one job, with the folder that the sweep has for it."""
        config = self.context.config_loader.load_sweep_config(self.config, list(overrides))
        with open_dict(config):
            config.hydra.job.id = config.hydra.job.num = number
            # The sweep's folder is one, also where its name depends on what the jobs differ in.
            config.hydra.sweep.dir = str(Path(self.config.hydra.sweep.dir).absolute())
        return config

    def job_folder(self, number: int, overrides: Sequence[str]) -> Path:
        """Return the folder of one job."""
        hydra = self.compose(number, overrides).hydra
        return Path(hydra.sweep.dir) / str(hydra.sweep.subdir)

    def run(self, number: int, overrides: Sequence[str]) -> JobReturn:
        """Run one job in this process, which knows nothing of the sweep yet.

        A job that fails, or is stopped, returns its error and lets the others be.

        Raises
        ------
        SystemExit
            With code ``PREEMPTED``, if the training was asked to stop and has saved itself.
        """
        with suppress(FileNotFoundError):  # the launcher sees to what the machines share
            os.chdir(self.folder)
        learn(os.environ)
        with screened():
            return self.run_screened(number, overrides)

    def run_screened(self, number: int, overrides: Sequence[str]) -> JobReturn:
        """Do what :meth:`run` says, on a screen that shows no secret."""
        sys.argv = masked(self.words)  # a job's record names the command that a person gave
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
        # A launcher may keep what a job hands back: its configuration may hold secrets.
        kept = JobReturn(overrides=masked(list(overrides)), status=result.status)
        kept.return_value = result._return_value
        if result.status == JobStatus.FAILED:
            return failed(overrides, result._return_value, kept)
        return kept


def failed(
    overrides: Sequence[str], error: Exception, result: JobReturn | None = None
) -> JobReturn:
    """Return what a job that failed hands back, with an error that any process can read.

    >>> result = failed(["seed=1"], ValueError("no seed"))
    >>> result.status.name, result.overrides
    ('FAILED', ['seed=1'])
    """
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    except Exception:
        error = LostJobError(f"{type(error).__name__}: {error}")
    result = result or JobReturn(overrides=masked(list(overrides)))
    result.return_value, result.status = error, JobStatus.FAILED
    return result
