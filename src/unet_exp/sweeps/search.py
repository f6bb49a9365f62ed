"""A search by Optuna: which jobs come next follows from what the earlier ones scored."""

import logging
import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from unet_exp.csv_tables import read_csv
from unet_exp.files import replacing
from unet_exp.records.sweep import DONE
from unet_exp.sweeps.plan import Job, SweepError, identity
from unet_exp.sweeps.runner import Runner
from unet_exp.sweeps.sampler_state import require_safe_states
from unet_exp.sweeps.settings import HydraSweep, SearchSettings

try:
    import optuna
    from optuna import pruners
    from optuna.trial import Trial, TrialState

    from unet_exp.sweeps.samplers import PRUNERS, Sampler, chosen, quietly
    from unet_exp.sweeps.search_space import corners, distribution, is_log, words_of
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        'hydra/sweeper=optuna needs Optuna. Install it: pip install -e ".[optuna]"'
    ) from error

log = logging.getLogger(__name__)

#: Of an objective that is no score of the validation, less is better.
COSTS = ("seconds", "train/loss", "val/loss")
#: The study's file in the sweep's folder, where no other storage is given.
STUDY = "optuna.log"
#: Seconds between two looks at the scores of running jobs.
LOOK = 1.0


def run_search(sweep: HydraSweep, settings: SearchSettings, arguments: Sequence[str]) -> None:
    """Run trials until there are ``n_trials`` of this sweep, after the extremes were rehearsed.

    Raises
    ------
    SweepError
        If the search space or a setting is wrong, or jobs have failed.
    """
    runner = Runner(sweep, arguments, "optuna")
    space = {key: distribution(word) for key, word in runner.words.swept.items()}
    if not space:
        raise SweepError(
            "hydra/sweeper=optuna has nothing to search. Give values, such as model.depth=2,3,4 or "
            "optimizer.lr=tag(log,interval(1e-4,1e-2)), or a preset, sweep=depth_width."
        )
    runner.ledger.log = [key for key, word in runner.words.swept.items() if is_log(word)]
    sampler = Sampler(settings)
    pruner = chosen("pruner", settings.pruner, PRUNERS, settings.pruner_options or {})
    runner.rehearse([Job(str(n), words) for n, words in enumerate(corners(space))])
    objectives = list(settings.objectives) or [runner.ledger.monitor]
    directions = [direction(name, runner) for name in objectives]
    with runner.opened(), quietly():
        kept = storage(settings.storage, runner.folder)
        # A file of its own holds one study, whatever its folder is called by now.
        names = [] if settings.storage else optuna.get_all_study_names(kept)
        study = optuna.create_study(
            storage=kept,
            pruner=pruner,
            study_name=settings.study_name or next(iter(names), runner.folder.absolute().name),
            directions=directions,  # pyright: ignore[reportArgumentType]
            load_if_exists=True,
        )
        if settings.sampler == "cmaes":
            trials = study.get_trials(deepcopy=False)
            require_safe_states((trial.system_attrs for trial in trials), runner.folder)
        Search(runner, study, sampler, space, objectives, settings).run()


def storage(given: str | None, folder: Path) -> Any:
    """Return where a study is kept: at an address, or in a file of the sweep's folder."""
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    # What a sweep that was killed has left, since this one alone holds the folder now.
    (folder / f"{STUDY}.lock").unlink(missing_ok=True)
    return given or JournalStorage(JournalFileBackend(str(folder / STUDY)))


def direction(name: str, runner: Runner) -> str:
    """Return whether more or less of an objective is better.

    Raises
    ------
    SweepError
        If the jobs do not measure it.
    """
    if name == runner.ledger.monitor:
        return "maximize" if runner.ledger.mode == "max" else "minimize"
    if name in COSTS:
        return "minimize"
    known = {f"val/{key}": more for key, more in runner.rehearsal.higher_is_better.items()}
    if name not in known:
        raise SweepError(
            f"hydra.sweeper.objectives: {name} is not measured. Take of "
            f"{', '.join([*known, *COSTS])}."
        )
    return "maximize" if known[name] else "minimize"


class Search:
    """The trials of one sweep.

    Parameters
    ----------
    objectives
        Names in the record of a job: ``seconds``, or scores of its best checkpoint.
    settings
        How many trials, and how many jobs at a time.
    """

    def __init__(
        self,
        runner: Runner,
        study: "optuna.Study",
        sampler: Sampler,
        space: dict[str, Any],
        objectives: list[str],
        settings: SearchSettings,
    ) -> None:
        self.runner, self.study, self.sampler, self.space = runner, study, sampler, space
        self.objectives, self.n_trials, self.n_jobs = objectives, settings.n_trials, settings.n_jobs
        self.shared = settings.storage is not None
        self.ended = False

    def run(self) -> None:
        """Run the trials that were begun or failed before, then new ones."""
        again = [job for job in self.runner.ledger.jobs if not self.done(job)]
        known = {
            trial.user_attrs.get("job"): Trial(self.study, trial._trial_id)
            for trial in self.mine(TrialState.RUNNING)
        }
        failed = {trial.user_attrs.get("job"): trial for trial in self.mine(TrialState.FAIL)}
        for jobs in batches(again, self.n_jobs):
            self.launch([(job, known.get(job.folder)) for job in jobs])
            for job in jobs:
                if job.folder not in known and job.folder in failed:
                    self.correct(job, failed[job.folder])
        while not self.ended and (left := self.n_trials - self.count()) > 0:
            trials = [self.ask() for _ in range(min(left, self.n_jobs))]
            words = [words_of(trial.params) for trial in trials]
            self.runner.plan(words)
            jobs = {identity(job.overrides): job for job in self.runner.ledger.jobs}
            asked = [jobs[identity(own)] for own in words]
            for trial, job in zip(trials, asked, strict=True):
                trial.set_user_attr("sweep", str(self.runner.folder.absolute()))
                trial.set_user_attr("job", job.folder)
            self.launch(list(zip(asked, trials, strict=True)))

    def count(self) -> int:
        """Return how many trials there were, without failures that were corrected."""
        jobs = {job.folder: job for job in self.runner.ledger.jobs}
        return sum(
            trial.state != TrialState.FAIL or not self.done(jobs[trial.user_attrs["job"]])
            for trial in self.mine()
        )

    def correct(self, job: Job, failed: Any) -> None:
        """Add the trial of a job that failed at first, and has finished now."""
        values = self.values(job)
        if values is None:
            return
        self.study.add_trial(
            optuna.trial.create_trial(
                values=values,
                params=failed.params,
                distributions=failed.distributions,
                user_attrs=failed.user_attrs,
            )
        )

    def ask(self) -> Trial:
        """Ask for the next values to try.

        Raises
        ------
        SweepError
            If the study has searched other values of the same parameters.
        """
        self.study.sampler = self.sampler(len(self.study.get_trials(deepcopy=False)))
        try:
            return self.study.ask(self.space)
        except ValueError as error:
            raise SweepError(
                f"The study {self.study.study_name} holds other values of "
                f"{', '.join(self.space)} ({error}). Give the values that it was begun with, or "
                "another hydra.sweeper.study_name."
            ) from error

    def mine(self, *states: TrialState) -> list[Any]:
        """Return the trials of this sweep; a shared study may have others, of other processes."""
        here = str(self.runner.folder.absolute())
        trials = self.study.get_trials(deepcopy=False, states=states or None)
        told = (trial for trial in trials if "sweep" in trial.user_attrs)
        # The folder may have been moved, and its own study with it.
        return [trial for trial in told if not self.shared or trial.user_attrs["sweep"] == here]

    def done(self, job: Job) -> bool:
        """Tell whether a job needs no more work."""
        return self.runner.record(job).get("state") in DONE

    def launch(self, pairs: Sequence[tuple[Job, Trial | None]]) -> None:
        """Run jobs that are not done yet, and tell the study what came of all."""
        # Optuna may ask for the same values again; their score is known, or being found.
        jobs = list(dict.fromkeys(job for job, _ in pairs if not self.done(job)))
        with self.pruning([(job, trial) for job, trial in pairs if trial and job in jobs]):
            self.runner.launch(jobs)
        for job, trial in pairs:
            if trial is not None:
                self.tell(job, trial)

    def values(self, job: Job) -> list[float] | None:
        """Return what a finished job came to in each objective; None if it did not."""
        record = self.runner.record(job)
        scores = {**(record.get("scores") or {}), "seconds": record.get("seconds")}
        found = [scores.get(name) for name in self.objectives]
        values = [float(v) for v in found if isinstance(v, int | float) and math.isfinite(v)]
        return values if record.get("state") == "finished" and len(values) == len(found) else None

    def tell(self, job: Job, trial: Trial) -> None:
        """Tell the study what a job came to."""
        values = self.values(job)
        pruned = self.runner.record(job).get("state") == "pruned"
        try:
            if values is not None:
                self.study.tell(trial, values)
            else:
                self.study.tell(trial, state=TrialState.PRUNED if pruned else TrialState.FAIL)
        except RuntimeError as error:
            # So does a sampler that has tried everything end Optuna's own loop, which is not here.
            if "Study.stop" not in str(error):
                raise
            self.ended = True

    @contextmanager
    def pruning(self, pairs: Sequence[tuple[Job, Trial]]) -> Iterator[None]:
        """Look at the scores of running jobs, and stop those that the study gives up."""
        if len(self.objectives) > 1 or isinstance(self.study.pruner, pruners.NopPruner):
            yield
            return
        ended = threading.Event()

        def look() -> None:
            reported: dict[tuple[int, int], float] = {}
            while not ended.wait(LOOK):
                for job, trial in pairs:
                    try:
                        self.prune(job, trial, reported)
                    except (OSError, ValueError, optuna.exceptions.OptunaError) as error:
                        log.debug("%s: %s", job, error)  # such as a locked database: next time

        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def prune(self, job: Job, trial: Trial, reported: dict[tuple[int, int], float]) -> None:
        """Report a job's new scores, and stop it if they are hopeless."""
        folder = self.runner.folder / job.folder
        if self.runner.record(job).get("state") != "running":
            return
        for step, score in scored(folder / "metrics.csv", self.objectives[0]):
            if (trial.number, step) not in reported:
                reported[trial.number, step] = score
                trial.report(score, step)
                if trial.should_prune():
                    with replacing(folder / "stop") as part:
                        part.write_text("pruned")


def scored(path: Path, name: str) -> list[tuple[int, float]]:
    """Return the step and the score of each validation so far."""
    try:
        rows = read_csv(path)
    except (OSError, ValueError):
        return []
    return [(int(row["step"]), float(row[name])) for row in rows if row.get(name)]


def batches(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """Yield a sequence in parts.

    >>> list(batches("abcde", 2))
    ['ab', 'cd', 'e']
    """
    for start in range(0, len(items), size):
        yield items[start : start + size]
