"""Check the pickles in a study before Optuna's CMA-ES sampler loads them.

The sampler stores its state in the attributes of trials. A study in the folder of a sweep may come
from a stranger, and unpickling it could run any code.
"""

import io
import pickle
from collections.abc import Iterable, Mapping
from typing import Any

from unet_exp.configuration.replay import RecordError

#: Prefixes of the attributes that hold a pickle in hexadecimal digits.
STATES = ("cma:optimizer", "sepcma:optimizer", "cmawm:optimizer")
#: The names in pickles of NumPy's arrays and random generators.
NUMPY = {
    ("numpy", "ndarray"), ("numpy", "dtype"), ("numpy.random", "RandomState"),
    ("numpy.core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "scalar"), ("numpy._core.multiarray", "scalar"),
    ("numpy._core.numeric", "_frombuffer"), ("numpy.core.numeric", "_frombuffer"),
    ("numpy.random._pickle", "__randomstate_ctor"),
    ("numpy.random._pickle", "__bit_generator_ctor"),
    ("numpy.random._mt19937", "MT19937"),
}  # fmt: skip


class _StateUnpickler(pickle.Unpickler):
    """Unpickler that loads only NumPy arrays and classes of cmaes."""

    def find_class(self, module: str, name: str) -> Any:
        """Return a class by its name."""
        own = module.partition(".")[0] == "cmaes" and name.isidentifier() and name[0].isupper()
        if own or (module, name) in NUMPY:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"it names {module}.{name}")


def require_safe_states(attributes: Iterable[Mapping[str, Any]], folder: object) -> None:
    """Refuse a study in which a sampler's state names anything but NumPy arrays and cmaes.

    Parameters
    ----------
    attributes
        The ``system_attrs`` of each trial.
    folder
        The folder of the sweep, for the message.

    Raises RecordError if the state names something else, or cannot be read.
    """
    for trial in attributes:
        for name in STATES:
            parts = {key: value for key, value in trial.items() if key.startswith(name)}
            if not parts:
                continue
            try:
                state = "".join(parts[f"{name}:{number}"] for number in range(len(parts)))
                _StateUnpickler(io.BytesIO(bytes.fromhex(state))).load()
            except Exception as error:  # a damaged pickle may raise anything
                raise RecordError(
                    f"The study in {folder} holds a state of its sampler that could run code "
                    f"({error}), so it was not loaded. Begin a new sweep in another folder."
                ) from error
