import pickle
import random
import types
from typing import Any

import numpy as np
import pytest

from unet_exp.configuration.replay import RecordError
from unet_exp.sweeps.sampler_state import require_safe_states


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


def test_a_module_of_cmaes_lends_no_names() -> None:
    dotted = b"\x80\x04\x8c\x0acmaes._cma\x8c\x07np.load\x93."
    with pytest.raises(RecordError, match=r"cmaes\._cma\.np\.load"):
        require_safe_states(attributes(dotted), "sweep")


def test_a_state_in_pieces_is_refused() -> None:
    with pytest.raises(RecordError, match="sweep"):
        require_safe_states([{"cma:optimizer:1": "00"}], "sweep")
