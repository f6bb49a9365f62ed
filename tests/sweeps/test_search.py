"""Searches from the command line, compared with the study as Optuna reads it."""

import csv
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import optuna
import pytest
from omegaconf import DictConfig
from optuna.distributions import CategoricalDistribution, IntDistribution
from optuna.storages import InMemoryStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from tests.running import TINY, Command
from tests.sweeps.searching import Planning
from unet_exp.records.sweep_folder import Job, SweepFolder
from unet_exp.sweeps.samplers import SamplerOfTrials
from unet_exp.sweeps.search import Search
from unet_exp.sweeps.settings import SearchSettings
from unet_exp.sweeps.study_storage import opened_storage

SEARCH = ("-m", "hydra/sweeper=optuna", *TINY, "model.depth=1")


def trials(folder: Path, storage: str | None = None, name: str = "") -> list[FrozenTrial]:
    kept = storage or JournalStorage(JournalFileBackend(str(folder / "optuna.log")))
    return optuna.load_study(study_name=name or folder.name, storage=kept).trials


def states(folder: Path) -> list[str]:
    jobs = json.loads((folder / "sweep.json").read_text())["jobs"]
    return [
        json.loads((folder / job["folder"] / "summary.json").read_text())["state"] for job in jobs
    ]


def test_a_resumed_search_equals_one_without_interruption(command: Command) -> None:
    words = (*SEARCH, "optimizer.lr=tag(log,interval(1e-4,1e-2))", "hydra/sweeper/sampler=tpe")
    whole = command("train", *words, "hydra.sweeper.n_trials=3", "hydra.sweep.dir=whole")
    assert whole.code == 0, whole.err
    done = command("train", *words, "hydra.sweeper.n_trials=2", "hydra.sweep.dir=cut")
    assert done.code == 0, done.err
    done = command("train", "sweep.resume=cut", "hydra.sweeper.n_trials=3")
    assert done.code == 0, done.err
    tried = [[trial.params["optimizer.lr"] for trial in trials(Path(f))] for f in ("whole", "cut")]
    assert tried[0] == tried[1]
    assert len(set(tried[0])) == 3
    assert all(1e-4 <= rate <= 1e-2 for rate in tried[0])
    for trial in trials(Path("cut")):
        job = Path("cut") / trial.user_attrs["job"]
        summary = json.loads((job / "summary.json").read_text())
        assert trial.value == summary["scores"]["val/seg"]
        assert f"optimizer.lr={trial.params['optimizer.lr']}" in summary["command"]
    assert json.loads(Path("cut/sweep.json").read_text())["log"] == ["optimizer.lr"]


def test_several_objectives_two_processes_and_a_failing_trial(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All share a study. A failure is recorded as such, and equal values are trained once."""
    monkeypatch.setenv("STUDY", "sqlite:///study.db")
    address = "hydra.sweeper.storage=${oc.env:STUDY}"
    study = (address, "hydra.sweeper.study_name=shared")
    aims = "hydra.sweeper.objectives=[val/loss,seconds]"
    words = (
        *SEARCH,
        *study,
        aims,
        "optimizer=sgd",
        "optimizer.lr=1e+30,0.01",
        "scheduler=constant",
    )
    every = ("hydra/sweeper/sampler=brute_force", "hydra.sweeper.n_trials=2")
    done = command("train", *words, *every, "hydra.sweep.dir=one")
    assert done.code == 1
    assert "1 of 2 jobs did not finish" in done.err
    assert sorted(states(Path("one"))) == ["failed", "finished"]
    assert address in json.loads(Path("one/sweep.json").read_text())["arguments"]
    found = trials(Path("one"), "sqlite:///study.db", "shared")
    assert sorted(trial.state.name for trial in found) == ["COMPLETE", "FAIL"]
    (good,) = [trial for trial in found if trial.state.name == "COMPLETE"]
    assert good.params == {"optimizer.lr": "0.01"}
    summary = json.loads((Path("one") / good.user_attrs["job"] / "summary.json").read_text())
    assert good.values == [summary["scores"]["val/loss"], summary["seconds"]]

    # Another sweep adds to the same study; of its three trials two must be alike.
    more = ("hydra/sweeper/sampler=random", "hydra.sweeper.n_trials=3", "hydra.sweep.dir=two")
    command("train", *words, *more)
    assert len(trials(Path("two"), "sqlite:///study.db", "shared")) == 5
    assert len(states(Path("two"))) <= 2
    other = command("train", *words, "optimizer.lr=0.01,0.02", "hydra.sweep.dir=three")
    assert other.code == 1
    assert "The study shared holds other values of optimizer.lr" in other.err


def test_a_search_continues_in_a_moved_folder(command: Command) -> None:
    values = ("seed=choice(0)", "pictures.every=choice(1)")
    done = command("train", *SEARCH, *values, "hydra.sweeper.n_trials=1", "hydra.sweep.dir=sweep")
    assert done.code == 0, done.err
    Path("sweep").rename("moved")
    # Its words in another order are the same ones, and so is the only job that they mean.
    done = command(
        "train", *SEARCH, *values[::-1], "hydra.sweeper.n_trials=2", "sweep.resume=moved"
    )
    assert done.code == 0, done.err
    assert [trial.user_attrs["job"] for trial in trials(Path("moved"), name="sweep")] == ["0", "0"]
    assert states(Path("moved")) == ["finished"]


def test_a_hopeless_trial_is_stopped_while_it_trains(command: Command) -> None:
    words = [
        *SEARCH, "seed=0,1", "trainer.max_steps=20000", "hydra.sweeper.n_trials=1",
        "hydra/sweeper/pruner=threshold", "hydra.sweeper.pruner.lower=2",
    ]  # fmt: skip
    done = command("train", *words, "hydra.sweep.dir=sweep")
    assert done.code == 0, done.err
    assert states(Path("sweep")) == ["pruned"]
    summary = json.loads(Path("sweep/0/summary.json").read_text())
    assert 0 < summary["steps"] < 20000
    (trial,) = trials(Path("sweep"))
    assert trial.state.name == "PRUNED"
    with Path("sweep/0/metrics.csv").open(newline="") as file:
        scores = {int(row["step"]): float(row["val/seg"]) for row in csv.DictReader(file)}
    assert trial.intermediate_values.items() <= scores.items()
    assert trial.intermediate_values
    assert command("train", "sweep.resume=sweep").code == 0
    assert json.loads(Path("sweep/0/summary.json").read_text()) == summary


def test_a_study_gets_the_score_of_a_failed_job_that_was_repeated(tmp_path: Path) -> None:
    """One of two trials failed. It is resumed, scores 0.75, and no other trial is requested."""
    space = {"seed": IntDistribution(0, 9)}
    storage = InMemoryStorage()
    study = optuna.create_study(storage=storage, direction="maximize")
    for folder, seed in (("0", 3), ("1", 4)):
        study.enqueue_trial({"seed": seed})
        trial = study.ask(space)
        trial.set_user_attr("sweep", str(tmp_path))
        trial.set_user_attr("job", folder)
        failed = folder == "1"
        study.tell(trial, None if failed else 0.5, state=TrialState.FAIL if failed else None)
    records = {
        "0": {"state": "finished", "scores": {"val/seg": 0.5}},
        "1": {"state": "failed"},
    }

    def launch(jobs: list[Job]) -> None:
        assert [job.folder for job in jobs] == ["1"]
        records["1"] = {"state": "finished", "scores": {"val/seg": 0.75}}

    jobs = [Job("0", ("seed=3",)), Job("1", ("seed=4",))]
    runner: Any = SimpleNamespace(
        folder=tmp_path,
        record=SimpleNamespace(jobs=jobs),
        summary=lambda job: records[job.folder],
        launch=launch,
    )
    settings = SearchSettings(n_trials=2, n_jobs=1)
    Search(runner, study, storage, space, ["val/seg"], settings).run()
    found = study.get_trials(states=[TrialState.COMPLETE])
    assert [(t.params["seed"], t.value) for t in found] == [(3, 0.5), (4, 0.75)]


class Finishing(Planning):
    """Each job scores its own seed at once."""

    def summary(self, job: Job) -> dict[str, Any]:
        seed = float(job.overrides[0].partition("=")[2])
        return {"state": "finished", "scores": {"val/seg": seed}}

    def launch(self, jobs: list[Job]) -> None:
        assert not jobs, "A finished job does not run."


class Launching(Finishing):
    """The same, but only job 0 has run before."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.ran = ["0"]

    def summary(self, job: Job) -> dict[str, Any]:
        return super().summary(job) if job.folder in self.ran else {}

    def launch(self, jobs: list[Job]) -> None:
        self.ran += [job.folder for job in jobs]


def test_trials_that_an_interrupted_search_left_are_told_or_run_once(tmp_path: Path) -> None:
    """It was killed before it told the study of job 0, and before it recorded job 1."""
    space = {"seed": IntDistribution(0, 9)}
    storage = InMemoryStorage()
    study = optuna.create_study(storage=storage, direction="maximize")
    for seed in (3, 4, 5):
        study.enqueue_trial({"seed": seed})
    for job in "01":
        trial = study.ask(space)
        trial.set_user_attr("job", job)
        trial.set_user_attr("sweep", str(tmp_path))
    study.ask(space)  # a trial that has no job yet, of this search or another one
    runner: Any = Launching(tmp_path)
    runner.record.jobs = [Job("0", ("seed=3",))]
    settings = SearchSettings(n_trials=2, storage="shared with the other")
    Search(runner, study, storage, space, ["val/seg"], settings).run()
    assert runner.ran == ["0", "1"]
    assert [(t.state.name, t.value) for t in study.trials] == [
        ("COMPLETE", 3.0),
        ("COMPLETE", 4.0),
        ("RUNNING", None),
    ]


def test_a_stop_before_a_trial_is_recorded_leaves_no_job_without_a_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    storage = InMemoryStorage()
    study = optuna.create_study(storage=storage, direction="maximize")
    runner: Any = Finishing(tmp_path)
    space = {"seed": IntDistribution(0, 9)}
    search = Search(runner, study, storage, space, ["val/seg"], SearchSettings(n_trials=2))
    with monkeypatch.context() as patch:
        patch.setattr(optuna.Trial, "set_user_attr", stop)
        with pytest.raises(KeyboardInterrupt):
            search.run()
    assert runner.record.jobs == []
    search.run()
    assert search.count() == 2
    assert [trial.number for trial in study.trials] == [0, 1]  # the first one has got its job
    assert len(runner.record.jobs) <= 2  # two trials of one value share a job


@pytest.mark.parametrize("pruner", [optuna.pruners.NopPruner(), optuna.pruners.HyperbandPruner()])
def test_a_search_ends_once_every_value_was_tried(
    tmp_path: Path, pruner: optuna.pruners.BasePruner
) -> None:
    storage = InMemoryStorage()
    study = optuna.create_study(storage=storage, direction="maximize", pruner=pruner)
    settings: Any = SearchSettings(n_trials=9)
    settings.sampler = DictConfig({"_target_": "optuna.samplers.BruteForceSampler"})
    study.sampler = SamplerOfTrials(settings)
    runner: Any = Finishing(tmp_path)
    space = {"seed": CategoricalDistribution(["3", "4"])}
    Search(runner, study, storage, space, ["val/seg"], settings).run()
    assert sorted(trial.value or 0 for trial in study.trials) == [3, 4]


@pytest.mark.parametrize("address", ["sqlite:///study.db", None])
def test_a_trial_of_an_interrupted_sweep_can_be_reported_and_pruned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    pruner = optuna.pruners.ThresholdPruner(lower=2)
    for _ in range(2):  # the first time it is interrupted after the first validation
        storage = opened_storage(address, SweepFolder(tmp_path).study)
        study = optuna.create_study(
            study_name="a", storage=storage, pruner=pruner, load_if_exists=True
        )
        runner: Any = Finishing(tmp_path)
        space = {"seed": CategoricalDistribution(["3"])}
        search = Search(runner, study, storage, space, ["val/seg"], SearchSettings())
        if not study.trials:
            study.ask(space).report(3.0, 10)
    (frozen,) = study.get_trials(states=[TrialState.RUNNING])
    trial = search.trial(frozen)
    assert trial.params == {"seed": "3"}
    runner.summary = lambda job: {"state": "running"}
    (tmp_path / "0").mkdir()
    (tmp_path / "0" / "metrics.csv").write_text("step,val/seg\n10,3.0\n20,0.5\n")
    search.prune(Job("0", ("seed=3",)), trial)  # a score that is reported twice is a warning
    assert study.trials[0].intermediate_values == {10: 3.0, 20: 0.5}
    assert (tmp_path / "0" / "stop").read_text() == "pruned"
    study.tell(trial, state=TrialState.PRUNED)


@pytest.mark.parametrize(
    ("words", "fact"),
    [
        (["model.depth=1"], "has nothing to search"),
        (["model.depth=1,9"], "Job 1 (model.depth=9): model.depth=9 is out of range"),
        (["optimizer.lr=interval(-1,1)"], "Job 0 (optimizer.lr=-1.0): Invalid learning rate"),
        (["optimizer.lr=tag(log,interval(0,1))"], "above 0 for a logarithm"),
        (["seed=0,1", "hydra/sweeper/sampler=tp"], "hydra/sweeper/sampler=tp"),
        (["seed=0,1", "hydra.sweeper.sampler=tpe"], "by hydra/sweeper/sampler=NAME"),
        (["seed=0,1", "hydra.sweeper.pruner.x=1"], "MedianPruner cannot be built"),
        (["seed=0,1", "hydra.sweeper.n_trials=x"], "n_trials=x is not a whole number"),
        (["seed=0,1", "hydra.sweeper.n_trials=0"], "n_trials=0: give 1 or more"),
        (["seed=0,1", "hydra.sweeper.objectives=[val/foo]"], "val/foo is not measured"),
    ],
)
def test_an_invalid_search_is_refused(command: Command, words: list[str], fact: str) -> None:
    failed = command("train", *SEARCH, *words, "hydra.sweep.dir=sweep")
    assert failed.code == 1
    assert fact in failed.err
    assert not Path("sweep").exists()
