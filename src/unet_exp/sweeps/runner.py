"""Run a sweep from its overrides to its page: validate, record, launch, conclude."""

import logging
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf, open_dict

from unet_exp.configuration import hydra_files
from unet_exp.configuration.errors import explain
from unet_exp.configuration.overrides import Override
from unet_exp.configuration.replay import fault, require_no_links, require_plain
from unet_exp.files import locked, remove_temporary_orphans
from unet_exp.records.sweep import DONE
from unet_exp.records.sweep_folder import Job, SweepFolder, SweepRecord
from unet_exp.runs.given_paths import require_training_paths
from unet_exp.runs.summary import command_line
from unet_exp.runs.warm_start import warm_starts
from unet_exp.secrets.masking import without_secrets
from unet_exp.sweeps.conclude import conclude
from unet_exp.sweeps.job_runner import error_of
from unet_exp.sweeps.plan import SweepError, plan_jobs, refusal, split_overrides
from unet_exp.sweeps.resuming import (
    jobs_with_secrets,
    require_same_sweep,
    require_secrets,
    without_folder,
)
from unet_exp.sweeps.settings import HydraSweep
from unet_exp.sweeps.table import LiveTable

if TYPE_CHECKING:
    from unet_exp.sweeps.rehearsal import Rehearsal

log = logging.getLogger(__name__)


class SweepRunner:
    """Run the jobs of a sweep; all sweepers use this class.

    Parameters
    ----------
    sweep
        The objects that Hydra gives to the sweeper.
    arguments
        The overrides of the command line.
    sweeper
        The name of the sweeper.

    Raises SweepError if the folder holds another sweep, the same sweep without a request to resume
    it, or runs that belong to no sweep.
    """

    def __init__(self, sweep: HydraSweep, arguments: Sequence[str], sweeper: str) -> None:
        self.config, self.loader, self.launcher = sweep.config, sweep.loader, sweep.launcher
        self.folder = Path(self.config.hydra.sweep.dir)
        self.files = SweepFolder(self.folder)
        before = self.files.read_record()
        swept_before = before.parameters if before else []
        self.overrides = split_overrides(arguments, sweep.params, swept_before, self.loader)
        self.require_own_folder(before, sweeper)
        # Unresolved, so that ${oc.env:NAME} is recorded and not its value.
        of_hydra: Any = OmegaConf.to_container(self.config.hydra.overrides.hydra, resolve=False)
        typed = without_folder([*arguments, *map(str, of_hydra)])
        #: Overrides that a resumed sweep does not repeat. The user must give them again.
        self.not_repeated = [text for text in typed if fault(text)]
        self.record = SweepRecord(
            command=command_line(),
            arguments=before.arguments if before else typed,
            words=self.overrides.common,
            parameters=list(dict.fromkeys([*swept_before, *self.overrides.swept])),
            monitor=before.monitor if before else "",
            mode=before.mode if before else "",
            sweeper=sweeper,
            started=before.started if before else datetime.now(UTC).isoformat(timespec="seconds"),
            jobs=list(before.jobs) if before else [],
        )

    def require_own_folder(self, before: SweepRecord | None, sweeper: str) -> None:
        """Refuse a folder that this sweep must not write to, or whose record is not plain."""
        if before and not self.config.sweep.resume:
            raise SweepError(
                f"{self.folder} already holds a sweep. To go on with it, add "
                f"sweep.resume={self.folder}; for a new one give another hydra.sweep.dir."
            )
        found = [run.path.name for run in self.files.recorded_runs()]
        if found and before is None:
            # They would look like finished jobs of this sweep.
            raise SweepError(
                f"{self.folder} holds runs ({', '.join(found[:5])}) of which no "
                f"{self.files.record.name} tells how they were trained. Give another "
                "hydra.sweep.dir."
            )
        require_no_links(self.folder)
        if before:
            require_same_sweep(before, self.overrides.common, sweeper, self.folder)
            given = set(map(without_secrets, self.overrides.single()))
            for job in before.jobs:
                others = [text for text in job.overrides if without_secrets(text) not in given]
                require_plain(others, (), self.folder)

    @cached_property
    def rehearsal(self) -> "Rehearsal":
        """The rehearsal of all jobs; it imports torch."""
        from unet_exp.sweeps.rehearsal import Rehearsal

        return Rehearsal(here=self.here)

    @property
    def here(self) -> bool:
        """Whether the jobs run on this machine, one after the other."""
        return self.config.hydra.runtime.choices.get("hydra/launcher") == "basic"

    def plan(self, combinations: Sequence[tuple[str, ...]]) -> list[Job]:
        """Add a job for each new combination, and return all jobs that are not done yet."""
        known = jobs_with_secrets(self.record.jobs, combinations)
        self.record.jobs = plan_jobs(combinations, known)
        jobs = self.unfinished()
        for job in jobs:
            require_secrets(job.overrides)
        return jobs

    def summary(self, job: Job) -> dict[str, Any]:
        """Return the summary of a job's run; empty if the job has not begun."""
        return self.files.run(job.folder).read_summary()

    def unfinished(self) -> list[Job]:
        """Return the jobs that need more work."""
        return [job for job in self.record.jobs if self.summary(job).get("state") not in DONE]

    def rehearse(self, jobs: Sequence[Job]) -> None:
        """Build everything that the jobs would build, so that a bad value is found before job 0.

        Raises SweepError with the job and its error.
        """
        for job in jobs:
            try:
                cfg = self.loader.load_sweep_config(self.config, self.job_overrides(job))
                with as_current(cfg) as own:
                    require_training_paths(own)  # before the rehearsal imports torch
                    self.rehearsal.rehearse(job, own)
            except Exception as error:
                raise refusal(job, error)  # noqa: B904 - the message would explain its cause
        if jobs:
            self.record.monitor, self.record.mode = self.rehearsal.monitor, self.rehearsal.mode

    def job_overrides(self, job: Job) -> list[str]:
        """Return all overrides of a job, including its folder."""
        sweep = Override.of("hydra.sweep.dir", str(self.folder)).text
        own = Override.of("hydra.sweep.subdir", job.folder).text
        return [*self.overrides.common, *job.overrides, sweep, own]

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Lock the folder and show the table of jobs; at the end write the results.

        Raises SweepError if another process runs this sweep, or if jobs have failed.
        """
        busy = SweepError(
            f"{self.folder} is in use: another process runs this sweep. Wait for its end, or give "
            "another hydra.sweep.dir."
        )
        with locked(self.files.lock, busy=busy):
            try:
                # A killed job may have left its settings, and this sweep may have none to train.
                remove_temporary_orphans()
                self.files.write_record(self.record)
                hydra_files.write(self.config, self.files.hydra)
                warm = (
                    warm_starts() if self.here and self.config.sweep.warm_start else nullcontext()
                )
                with LiveTable(self.folder), warm:
                    yield
                self.record.state = "finished"
            except BaseException:
                self.record.state = "interrupted"
                raise
            finally:
                try:
                    self.files.write_record(self.record)
                    conclude(self.folder, self.not_repeated)
                except OSError as error:  # a full disk must not hide the error that ended the sweep
                    log.warning("%s", explain(error))
        if failed := self.unfinished():
            resume = shlex.join([f"sweep.resume={self.folder}", *self.not_repeated])
            raise SweepError(
                f"{len(failed)} of {len(self.record.jobs)} jobs did not finish: "
                f"{', '.join(map(str, failed[:5]))}{' ...' if failed[5:] else ''}. The table above "
                "says why, and each job's summary.json and train.log. When that is mended, go on "
                f"with -m {resume}."
            )

    def launch(self, jobs: Sequence[Job]) -> None:
        """Run jobs; if a job ended before it could record its error, record it here."""
        self.files.write_record(self.record)
        if not jobs:
            return
        results = self.launcher.launch([self.job_overrides(job) for job in jobs], 0)
        for job, result in zip(jobs, results, strict=True):
            error = error_of(result)
            if error is not None and self.summary(job).get("state") in (None, "running"):
                run = self.files.run(job.folder)
                run.amend_summary(state="failed", error=explain(error))


@contextmanager
def as_current(cfg: DictConfig) -> Iterator[DictConfig]:
    """Make a job's configuration Hydra's current one; yield it without Hydra's part."""
    before = HydraConfig.instance().cfg
    HydraConfig.instance().set_config(cfg)
    own = cfg.copy()
    with open_dict(own):
        del own["hydra"]
    try:
        yield own
    finally:
        HydraConfig.instance().cfg = before
