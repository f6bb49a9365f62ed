"""Search with Optuna: the scores of earlier jobs determine the next jobs."""

import logging
import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from unet_exp.records.run_folder import RunFolder
from unet_exp.records.sweep import DONE
from unet_exp.records.sweep_folder import Job
from unet_exp.sweeps.plan import SweepError, identity
from unet_exp.sweeps.runner import SweepRunner
from unet_exp.sweeps.sampler_state import require_safe_states
from unet_exp.sweeps.settings import HydraSweep, SearchSettings

try:
    import optuna
    from optuna.pruners import BasePruner, NopPruner
    from optuna.storages import BaseStorage
    from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

    from unet_exp.sweeps.samplers import SamplerOfTrials, built, quiet_optuna
    from unet_exp.sweeps.search_space import corners, distribution, is_log, overrides_of
    from unet_exp.sweeps.study_storage import opened_storage
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        'hydra/sweeper=optuna needs Optuna. Install it: pip install -e ".[optuna]"'
    ) from error

log = logging.getLogger(__name__)

#: Objectives to minimize. They are not metrics, so no metric gives their direction.
COSTS = ("seconds", "train/loss", "val/loss")
#: Seconds between two readings of the scores of running jobs.
LOOK = 1.0


def run_search(sweep: HydraSweep, settings: SearchSettings, arguments: Sequence[str]) -> None:
    """Rehearse the extreme values, then run trials until this sweep has ``n_trials``.

    Raises SweepError if the search space or a setting is wrong, or jobs have failed.
    """
    runner = SweepRunner(sweep, arguments, "optuna")
    space = {key: distribution(one) for key, one in runner.overrides.swept.items()}
    if not space:
        raise SweepError(
            "hydra/sweeper=optuna has nothing to search. Give values, such as model.depth=2,3,4 or "
            "optimizer.lr=tag(log,interval(1e-4,1e-2)), or a preset, sweep=depth_width."
        )
    runner.record.log = [key for key, one in runner.overrides.swept.items() if is_log(one)]
    sampler = SamplerOfTrials(settings)  # a wrong option is refused before the first job
    pruner = built("pruner", settings.pruner, BasePruner)
    runner.rehearse([Job(str(n), own) for n, own in enumerate(corners(space))])
    objectives = list(settings.objectives) or [runner.record.monitor]
    directions = [direction(name, runner) for name in objectives]
    with runner.opened(), quiet_optuna():
        storage = opened_storage(settings.storage, runner.files.study)
        # The sweep's own file holds one study, whose name stays when the folder is renamed.
        names = [] if settings.storage else optuna.get_all_study_names(storage)
        study = optuna.create_study(
            storage=storage,
            sampler=sampler,
            pruner=pruner,
            study_name=settings.study_name or next(iter(names), runner.folder.absolute().name),
            directions=directions,  # pyright: ignore[reportArgumentType]
            load_if_exists=True,
        )
        trials = study.get_trials(deepcopy=False)
        require_safe_states((trial.system_attrs for trial in trials), runner.folder)
        Search(runner, study, storage, space, objectives, settings).run()


def direction(name: str, runner: SweepRunner) -> str:
    """Return whether Optuna has to maximize or to minimize an objective.

    Raises SweepError if the jobs do not measure it.
    """
    if name == runner.record.monitor:
        return "maximize" if runner.record.mode == "max" else "minimize"
    if name in COSTS:
        return "minimize"
    known = {f"val/{key}": more for key, more in runner.rehearsal.higher_is_better.items()}
    if name not in known:
        raise SweepError(
            f"hydra.sweeper.objectives: {name} is not measured. Take of "
            f"{', '.join([*known, *COSTS])}."
        )
    return "maximize" if known[name] else "minimize"


def batches(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """Yield groups of at most ``size`` items.

    >>> list(batches([1, 2, 3], 2))
    [[1, 2], [3]]
    """
    for start in range(0, len(items), size):
        yield items[start : start + size]


class Search:
    """The trials of one sweep.

    Parameters
    ----------
    objectives
        Names in the record of a job: ``seconds``, or scores of its best checkpoint.
    """

    def __init__(
        self,
        runner: SweepRunner,
        study: "optuna.Study",
        storage: BaseStorage,
        space: dict[str, Any],
        objectives: list[str],
        settings: SearchSettings,
    ) -> None:
        self.runner, self.study, self.storage, self.space = runner, study, storage, space
        self.objectives, self.settings = objectives, settings
        self.exhausted = False
        # A sampler calls this when it has tried every value. Optuna's own only works in its loop.
        study.stop = self.stop

    def stop(self) -> None:
        """Ask for no more trials."""
        self.exhausted = True

    def run(self) -> None:
        """Run the trials that were interrupted or failed before, then new ones."""
        size = self.settings.n_jobs
        failed = {trial.user_attrs.get("job"): trial for trial in self.own(TrialState.FAIL)}
        running = self.own(TrialState.RUNNING)
        interrupted = {trial.user_attrs.get("job") for trial in running}
        again = [
            job
            for job in self.runner.record.jobs
            if not self.done(job) and job.folder not in interrupted
        ]
        for trials in batches(running, size):
            self.launch(self.with_jobs([self.trial(trial) for trial in trials]))
        for jobs in batches(again, size):
            self.launch([(job, None) for job in jobs])
            for job in jobs:
                if job.folder in failed:
                    self.correct(job, failed[job.folder])
        while not self.exhausted and (left := self.settings.n_trials - self.count()) > 0:
            self.launch(self.with_jobs([self.ask() for _ in range(min(left, size))]))

    def with_jobs(self, trials: Sequence[Trial]) -> list[tuple[Job, Trial]]:
        """Give each trial the job that tries its values; trials of equal values share one."""
        combinations = [overrides_of(trial.params) for trial in trials]
        before = self.runner.record.jobs
        try:
            self.runner.plan(combinations)
            jobs = {identity(job.overrides): job for job in self.runner.record.jobs}
            pairs = [(jobs[identity(own)], t) for own, t in zip(combinations, trials, strict=True)]
            for job, trial in pairs:
                trial.set_user_attr("job", job.folder)
                # Last, because it makes the trial one of this sweep's.
                trial.set_user_attr("sweep", str(self.runner.folder.absolute()))
        except BaseException:  # a resumed sweep would train a recorded job without a trial in vain
            self.runner.record.jobs = before
            raise
        return pairs

    def own(self, *states: TrialState) -> list[FrozenTrial]:
        """Return the trials of this sweep; a shared study may have trials of other processes."""
        here = str(self.runner.folder.absolute())
        trials = self.study.get_trials(deepcopy=False, states=states or None)
        if self.settings.storage is not None:
            return [trial for trial in trials if trial.user_attrs.get("sweep") == here]
        # This study has moved with its folder. A sweep killed between asking and launching leaves
        # a trial that has its values, but no job.
        return [t for t in trials if "sweep" in t.user_attrs or self.is_left(t)]

    def is_left(self, trial: FrozenTrial) -> bool:
        """Tell whether a trial has all its values and is not finished."""
        return trial.state == TrialState.RUNNING and trial.params.keys() == self.space.keys()

    def trial(self, frozen: FrozenTrial) -> Trial:
        """Return a trial of an interrupted sweep to which its job can report scores again."""
        study_id = self.storage.get_study_id_from_name(self.study.study_name)
        number = self.storage.get_trial_id_from_study_id_trial_number(study_id, frozen.number)
        return Trial(self.study, number)

    def count(self) -> int:
        """Return the number of trials, without failed ones that were corrected."""
        jobs = {job.folder: job for job in self.runner.record.jobs}
        return sum(
            trial.state != TrialState.FAIL or not self.done(jobs[trial.user_attrs["job"]])
            for trial in self.own()
        )

    def correct(self, job: Job, failed: FrozenTrial) -> None:
        """Add a trial for a job that failed at first and has finished now."""
        values = self.values(job)
        if values is not None:
            self.study.add_trial(
                create_trial(
                    values=values,
                    params=failed.params,
                    distributions=failed.distributions,
                    user_attrs=failed.user_attrs,
                )
            )

    def ask(self) -> Trial:
        """Ask for the next values to try.

        Raises SweepError if the study has searched other values of the same parameters.
        """
        try:
            return self.study.ask(self.space)
        except ValueError as error:
            raise SweepError(
                f"The study {self.study.study_name} holds other values of "
                f"{', '.join(self.space)} ({error}). Give the values that it was begun with, or "
                "another hydra.sweeper.study_name."
            ) from error

    def done(self, job: Job) -> bool:
        """Tell whether a job needs no more work."""
        return self.runner.summary(job).get("state") in DONE

    def launch(self, pairs: Sequence[tuple[Job, Trial | None]]) -> None:
        """Run the jobs that are not done yet, and report all results to the study."""
        # Optuna may suggest the same values again. All trials with these values share one job.
        jobs = list(dict.fromkeys(job for job, _ in pairs if not self.done(job)))
        with self.pruning([(job, trial) for job, trial in pairs if trial and job in jobs]):
            self.runner.launch(jobs)
        for job, trial in pairs:
            if trial is None:
                continue
            if (values := self.values(job)) is not None:
                self.study.tell(trial, values)
            else:
                pruned = self.runner.summary(job).get("state") == "pruned"
                self.study.tell(trial, state=TrialState.PRUNED if pruned else TrialState.FAIL)

    def values(self, job: Job) -> list[float] | None:
        """Return the value of each objective for a finished job; None for other jobs."""
        record = self.runner.summary(job)
        scores = {**(record.get("scores") or {}), "seconds": record.get("seconds")}
        found = [scores.get(name) for name in self.objectives]
        values = [float(v) for v in found if isinstance(v, int | float) and math.isfinite(v)]
        return values if record.get("state") == "finished" and len(values) == len(found) else None

    @contextmanager
    def pruning(self, pairs: Sequence[tuple[Job, Trial]]) -> Iterator[None]:
        """While the body runs, report the scores of running jobs and stop unpromising jobs."""
        if len(self.objectives) > 1 or isinstance(self.study.pruner, NopPruner):
            yield
            return
        ended = threading.Event()

        def look() -> None:
            while not ended.wait(LOOK):
                for job, trial in pairs:
                    try:
                        self.prune(job, trial)
                    except (OSError, ValueError, optuna.exceptions.OptunaError) as error:
                        log.debug("%s: %s", job, error)  # such as a locked database; tried again

        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def prune(self, job: Job, trial: Trial) -> None:
        """Report a job's new scores, and stop it if the pruner decides so."""
        run = RunFolder(self.runner.folder / job.folder)
        if self.runner.summary(job).get("state") != "running":
            return
        reported = self.study.get_trials(deepcopy=False)[trial.number].intermediate_values
        for row in run.read_metrics():
            step, score = int(row.get("step", 0)), row.get(self.objectives[0])
            if score is not None and step not in reported:
                trial.report(score, step)
                if trial.should_prune():
                    run.request_stop("pruned")
