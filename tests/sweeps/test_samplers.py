"""Each option of ``conf/hydra/sweeper/sampler`` and ``pruner`` builds a class of Optuna."""

from typing import Any

import optuna
import pytest
from hydra import compose, initialize_config_dir
from optuna.distributions import FloatDistribution
from optuna.trial import FrozenTrial

from unet_exp.configuration.groups import CONF
from unet_exp.configuration.schema import register
from unet_exp.sweeps.plan import SweepError
from unet_exp.sweeps.samplers import SamplerOfTrials, built, quiet_optuna, sampler_of_trial
from unet_exp.sweeps.settings import SearchSettings


def options(kind: str) -> list[str]:
    return sorted(path.stem for path in (CONF / "hydra" / "sweeper" / kind).glob("*.yaml"))


def settings(*words: str) -> SearchSettings:
    register()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = compose("train", ["hydra/sweeper=optuna", *words], return_hydra_config=True)
    given: Any = cfg.hydra.sweeper
    return SearchSettings(sampler=given.sampler, pruner=given.pruner, seed=given.seed)


@pytest.mark.parametrize("option", options("sampler"))
def test_a_search_that_was_interrupted_repeats(option: str) -> None:
    """The trials are the same if all objects are rebuilt before the last one."""
    given = settings(f"hydra/sweeper/sampler={option}")
    space = {name: FloatDistribution(0, 1, step=0.125) for name in "ab"}
    tried = []
    for interrupted in (False, True):
        storage = optuna.storages.InMemoryStorage()
        study = optuna.create_study(storage=storage, study_name="a")
        with quiet_optuna():
            for number in range(4):
                if interrupted and number == 3:
                    given = settings(f"hydra/sweeper/sampler={option}")
                    study = optuna.load_study(storage=storage, study_name="a")
                study.sampler = SamplerOfTrials(given)
                study.stop = lambda: None
                trial = study.ask(space)
                study.tell(trial, trial.params["a"])
        tried.append([trial.params for trial in study.trials])
    assert tried[0] == tried[1]
    assert tried[0][0] != tried[0][1]


@pytest.mark.parametrize("option", options("pruner"))
def test_each_pruner_can_be_built(option: str) -> None:
    bound = ["hydra.sweeper.pruner.lower=0"] if option == "threshold" else []
    given = settings(f"hydra/sweeper/pruner={option}", *bound)
    assert built("pruner", given.pruner, optuna.pruners.BasePruner) is not None


def test_trials_differ_in_their_seed_but_for_a_sequence() -> None:
    random = settings("hydra/sweeper/sampler=random", "hydra.sweeper.seed=7")
    qmc = settings("hydra/sweeper/sampler=qmc", "hydra.sweeper.seed=7")
    space = {"a": FloatDistribution(0, 1)}
    first = [optuna.create_study(sampler=sampler_of_trial(random, n)).ask(space) for n in (0, 0, 1)]
    assert first[0].params == first[1].params != first[2].params
    assert qmc.sampler is not None
    assert qmc.sampler["seed"] == 7


class Shared(optuna.storages.InMemoryStorage):
    """A study to which another search adds a trial before each of ours."""

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        super().create_new_trial(study_id)
        return super().create_new_trial(study_id, template_trial)


def test_the_number_of_a_trial_is_its_seed_whatever_other_searches_do() -> None:
    random = settings("hydra/sweeper/sampler=random", "hydra.sweeper.seed=7")
    space = {"a": FloatDistribution(0, 1), "b": FloatDistribution(0, 1)}
    study = optuna.create_study(storage=Shared(), sampler=SamplerOfTrials(random))
    ours = [study.ask(space) for _ in range(2)]
    for trial, number in zip(ours, (1, 3), strict=True):
        of_optuna = optuna.samplers.RandomSampler(seed=7 + number)
        assert trial.number == number
        assert trial.params == optuna.create_study(sampler=of_optuna).ask(space).params


def test_objects_that_are_no_samplers_are_refused() -> None:
    given = settings(
        "hydra.sweeper.sampler._target_=os.getcwd", "~hydra.sweeper.sampler.n_startup_trials"
    )
    with pytest.raises(SweepError, match="getcwd cannot be built"):
        sampler_of_trial(given, 0)
