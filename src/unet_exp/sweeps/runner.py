"""One sweep from its words to its page: checked, recorded, launched, told."""

import logging
import shlex
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import Timeout
from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobStatus
from omegaconf import DictConfig, open_dict

from unet_exp.configuration import hydra_files
from unet_exp.configuration.errors import explain
from unet_exp.configuration.quoting import in_quotes
from unet_exp.configuration.replay import fault, require_no_links, require_plain
from unet_exp.files import locked
from unet_exp.records.sweep import DONE
from unet_exp.records.sweep_folder import Job, SweepFolder, SweepRecord
from unet_exp.runs.given_paths import require_training_paths
from unet_exp.runs.summary import command_line
from unet_exp.secrets.masking import blanked
from unet_exp.sweeps.conclude import conclude
from unet_exp.sweeps.given_again import jobs_with_secrets, require_secrets
from unet_exp.sweeps.plan import SweepError, parse, planned, refused
from unet_exp.sweeps.resuming import require_same_sweep, typed
from unet_exp.sweeps.settings import HydraSweep
from unet_exp.sweeps.table import LiveTable

if TYPE_CHECKING:
    from unet_exp.sweeps.rehearsal import Rehearsal

log = logging.getLogger(__name__)

#: Launchers that run jobs on this machine, in the process that is asked.
HERE = ("hydra._internal.core_plugins.basic_launcher.BasicLauncher",)


class Runner:
    """What all sweepers share.

    Parameters
    ----------
    sweep
        What Hydra hands to the sweeper.
    arguments
        The task's words.
    sweeper
        Its name.

    Raises
    ------
    SweepError
        If the folder holds a sweep that was not asked to go on, another one, or runs of none.
    """

    def __init__(self, sweep: HydraSweep, arguments: Sequence[str], sweeper: str) -> None:
        self.config, self.loader, self.launcher = sweep.config, sweep.loader, sweep.launcher
        self.folder = Path(self.config.hydra.sweep.dir)
        self.files = SweepFolder(self.folder)
        self.before = self.files.read_record()
        swept_before = self.before.parameters if self.before else ()
        self.words = parse(arguments, sweep.params, swept_before, self.loader)
        if self.before and not self.config.sweep.resume:
            raise SweepError(
                f"{self.folder} already holds a sweep. To go on with it, add "
                f"sweep.resume={self.folder}; for a new one give another hydra.sweep.dir."
            )
        found = [run.path.name for run in self.files.recorded_runs()]
        if found and self.before is None:
            # They would pass for finished jobs of this sweep.
            raise SweepError(
                f"{self.folder} holds runs ({', '.join(found[:5])}) of which no "
                f"{self.files.record.name} tells how they were trained. Give another "
                "hydra.sweep.dir."
            )
        require_no_links(self.folder)
        if self.before:
            require_same_sweep(self.before, self.words.common, sweeper, self.folder)
            given = set(map(blanked, self.words.texts()))
            for job in self.before.jobs:
                others = [text for text in job.overrides if blanked(text) not in given]
                require_plain(others, (), self.folder)
        said = typed([*arguments, *map(str, self.config.hydra.overrides.hydra)])
        #: What a folder may not say, so that the user gives it again.
        self.again = [text for text in said if fault(text)]
        here = self.config.hydra.launcher.get("_target_") in HERE
        self.here = here
        self.ledger = SweepRecord(
            command=command_line(),
            arguments=self.before.arguments if self.before else said,
            words=self.words.common,
            parameters=list(dict.fromkeys([*swept_before, *self.words.swept])),
            monitor="",
            mode="",
            sweeper=sweeper,
            started=self.before.started if self.before else now(),
            jobs=list(self.before.jobs) if self.before else [],
        )

    def plan(self, combinations: Sequence[tuple[str, ...]]) -> list[Job]:
        """Add the jobs of these words, and return all of the sweep that are not done yet."""
        known = jobs_with_secrets(self.ledger.jobs, combinations)
        self.ledger.jobs = planned(combinations, known)
        jobs = [job for job in self.ledger.jobs if self.record(job).get("state") not in DONE]
        for job in jobs:
            require_secrets(job.overrides)
        return jobs

    @cached_property
    def rehearsal(self) -> "Rehearsal":
        """What builds each job once."""
        from unet_exp.sweeps.rehearsal import Rehearsal

        return Rehearsal(self.here)

    def record(self, job: Job) -> dict[str, Any]:
        """Return the record of a job; nothing where it has not begun."""
        return self.files.run(job.folder).read_summary()

    def rehearse(self, jobs: Sequence[Job]) -> None:
        """Build once what each job would build, so that a bad value is found before job 0.

        Raises
        ------
        SweepError
            Naming the job, and what is wrong with it.
        """
        for job in jobs:
            try:
                cfg = self.composed(job)
                with as_current(cfg) as own:
                    require_training_paths(own)  # before the rehearsal imports torch
            except Exception as error:
                raise refused(job, error)  # noqa: B904 - its cause would be told in its place
            with as_current(cfg) as own:
                self.rehearsal(job, own)
        if jobs:
            self.ledger.monitor, self.ledger.mode = self.rehearsal.monitor, self.rehearsal.mode
        elif self.before:
            self.ledger.monitor, self.ledger.mode = self.before.monitor, self.before.mode

    def composed(self, job: Job) -> DictConfig:
        """Compose the configuration of a job, with Hydra's part."""
        return self.loader.load_sweep_config(self.config, self.overrides(job))

    def overrides(self, job: Job) -> list[str]:
        """Return all words of a job, with the folder that it writes to."""
        place = [
            f"hydra.sweep.dir={in_quotes(str(self.folder))}",
            f"hydra.sweep.subdir={in_quotes(job.folder)}",
        ]
        return [*self.words.common, *job.overrides, *place]

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Hold the folder for this sweep alone; at the end say what came of it.

        Raises
        ------
        SweepError
            If another process runs this sweep, or if jobs have failed.
        """
        with ExitStack() as stack:
            try:
                stack.enter_context(locked(self.files.lock))
            except Timeout:
                raise SweepError(
                    f"{self.folder} is in use: another process runs this sweep. Wait for its end, "
                    "or give another hydra.sweep.dir."
                ) from None
            try:
                self.files.write_record(self.ledger)
                hydra_files.write(self.config, self.files.hydra)
                with LiveTable(self.folder):
                    yield
                self.ledger.state = "finished"
            except BaseException:
                self.ledger.state = "interrupted"
                raise
            finally:
                try:
                    self.files.write_record(self.ledger)
                    conclude(self.folder, self.again)
                except OSError as error:  # a full disk must not hide what ended the sweep
                    log.warning("%s", explain(error))
        failed = [job for job in self.ledger.jobs if self.record(job).get("state") not in DONE]
        if failed:
            raise SweepError(
                f"{len(failed)} of {len(self.ledger.jobs)} jobs did not finish: "
                f"{', '.join(map(str, failed[:5]))}{' ...' if failed[5:] else ''}. Why stands in "
                "the table above, in summary.json and in train.log of each. When that is mended, "
                f"go on with -m {shlex.join([f'sweep.resume={self.folder}', *self.again])}."
            )

    def launch(self, jobs: Sequence[Job]) -> list[dict[str, Any]]:
        """Run jobs, and return their records."""
        self.files.write_record(self.ledger)
        returns = self.launcher.launch([self.overrides(job) for job in jobs], 0) if jobs else []
        for job, returned in zip(jobs, returns, strict=True):
            # Whatever ended the process before it could write why: the launcher may know.
            state = self.record(job).get("state")
            if returned.status != JobStatus.COMPLETED and state in (None, "running"):
                error = returned._return_value
                told = explain(error) if isinstance(error, BaseException) else str(error)
                self.files.run(job.folder).amend_summary(state="failed", error=told)
        return [self.record(job) for job in jobs]


def now() -> str:
    """Return date and time, in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@contextmanager
def as_current(cfg: DictConfig) -> Iterator[DictConfig]:
    """Make a job's configuration Hydra's current one; give it without Hydra's part."""
    before = HydraConfig.instance().cfg
    HydraConfig.instance().set_config(cfg)
    own = cfg.copy()
    with open_dict(own):
        del own["hydra"]
    try:
        yield own
    finally:
        HydraConfig.instance().cfg = before
