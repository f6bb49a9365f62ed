import pickle
import random
import types
from typing import Any

import numpy as np
import optuna
import pytest

from unet_exp.configuration.replay import RecordError
from unet_exp.sweeps.sampler_state import STATES, require_safe_states
from unet_exp.sweeps.samplers import quiet_optuna


class Bomb:
    def __reduce__(self) -> Any:
        return exec, ("raise SystemExit('exploded')",)


class Sly:
    """A function of numpy's that reads any file, reached by a name of cmaes."""

    def __reduce__(self) -> Any:
        return types.SimpleNamespace, ()


def attributes(state: bytes, name: str = "cma:optimizer") -> list[dict[str, Any]]:
    digits = state.hex()
    cut = random.Random(0).randrange(len(digits))
    return [{}, {f"{name}:0": digits[:cut], f"{name}:1": digits[cut:], "cma:generation": 3}]


@pytest.mark.parametrize("protocol", [4, 5])
def test_arrays_and_random_numbers_are_safe(protocol: int) -> None:
    state = {"mean": np.zeros(3), "rng": np.random.RandomState(0), "sigma": np.float64(0.5)}
    require_safe_states(attributes(pickle.dumps(state, protocol)), "sweep")


@pytest.mark.parametrize("name", ["cma:optimizer", "sepcma:optimizer", "cmawm:optimizer"])
@pytest.mark.parametrize("what", [Bomb(), Sly()], ids=["exec", "other"])
def test_code_is_refused_and_not_run(name: str, what: Any) -> None:
    with pytest.raises(RecordError, match="could run code"):
        require_safe_states(attributes(pickle.dumps(what), name), "sweep")


def test_names_that_a_module_of_cmaes_imports_are_refused() -> None:
    dotted = b"\x80\x04\x8c\x0acmaes._cma\x8c\x07np.load\x93."
    with pytest.raises(RecordError, match=r"cmaes\._cma\.np\.load"):
        require_safe_states(attributes(dotted), "sweep")


@pytest.mark.parametrize("variant", [{}, {"use_separable_cma": True}, {"with_margin": True}])
def test_the_state_of_the_sampler_is_found_and_safe(variant: dict[str, bool]) -> None:
    """It fails when Optuna gives its attributes other names, or cmaes pickles other things."""
    with quiet_optuna():
        study = optuna.create_study(sampler=optuna.samplers.CmaEsSampler(seed=0, **variant))
        study.optimize(
            lambda trial: trial.suggest_float("a", 0, 1) + trial.suggest_float("b", 0, 1), 8
        )
    kept = [trial.system_attrs for trial in study.trials]
    assert any(key.startswith(STATES) for one in kept for key in one)
    # It keeps nothing else that is large enough for a pickle.
    assert all(
        key.startswith(STATES) or len(str(value)) < 200
        for one in kept
        for key, value in one.items()
    )
    require_safe_states(kept, "sweep")


def test_a_state_in_pieces_is_refused() -> None:
    with pytest.raises(RecordError, match="sweep"):
        require_safe_states([{"cma:optimizer:1": "00"}], "sweep")
