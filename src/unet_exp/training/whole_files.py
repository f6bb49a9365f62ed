"""Write checkpoints atomically, as plain data and tensors that can be read back safely."""

import io
import logging
import os
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from unet_exp.files import replacing
from unet_exp.training.inspection import inspect

log = logging.getLogger(__name__)

#: Entries of every checkpoint. They are always plain data and tensors.
OURS = {"state_dict", "optimizer_states", "lr_schedulers", "loops", "config"}


class WholeFiles:
    """Write a file beside the checkpoint, then rename it.

    Lightning writes to the system's temporary folder and moves the file. If that is another disk,
    the move is a copy. A full disk or a killed process would interrupt the copy and destroy the
    last good checkpoint, and a folder without write permission would not be noticed.
    """

    def __init__(self) -> None:
        self.warned: set[str] = set()

    def save(self, checkpoint: dict[str, Any], path: str | os.PathLike[str]) -> None:
        """Save what :func:`unet_exp.training.inspection.inspect` and ``torch.load`` can read.

        Raises OSError if there is no space or no permission. An earlier checkpoint of that name
        stays.
        """
        content = io.BytesIO()
        torch.save(self.readable(checkpoint), content)
        with replacing(Path(path)) as part, part.open("wb") as file:
            file.write(content.getbuffer())
            file.flush()
            os.fsync(file.fileno())

    def readable(self, checkpoint: dict[str, Any]) -> dict[str, Any]:
        """Leave out the states of callbacks that are more than plain data.

        A checkpoint with other data would be refused when it is read, because it could run code.
        """
        kept = {k: v for k, v in checkpoint.items() if k in OURS or self.is_readable(k, v)}
        # A buffer may be an expanded tensor. The reader refuses these, because they have more
        # values than the file holds.
        weights = kept.get("state_dict", {})
        tensors = {name: value for name, value in weights.items() if isinstance(value, Tensor)}
        if repeated := [name for name in tensors if not holds_its_numbers(tensors[name])]:
            kept["state_dict"] = weights | {name: weights[name].clone() for name in repeated}
        if (states := checkpoint.get("callbacks")) and "callbacks" not in kept:
            kept["callbacks"] = {k: v for k, v in states.items() if self.is_readable(k, v)}
        return kept

    def is_readable(self, name: str, state: Any) -> bool:
        """Return whether a state is plain data and tensors; warn once of one that is not."""
        if is_plain(state):
            return True
        content = io.BytesIO()
        try:
            torch.save(state, content)
            inspect(content)  # as the reader of the checkpoint does
        except (pickle.PickleError, AttributeError, TypeError, RuntimeError, ValueError) as error:
            if name not in self.warned and name != "callbacks":
                self.warned.add(name)
                log.warning(
                    "The state of %s is not saved: it holds more than plain data and tensors (%s). "
                    "A resumed run starts it anew.",
                    name,
                    (str(error).splitlines() or [""])[0],
                )
            return False
        return True


def is_plain(value: Any) -> bool:
    """Return whether data consists of Python's plain types and tensors.

    >>> is_plain({"best": [1.5, None, torch.ones(2)]}), is_plain({"path": os})
    (True, False)
    """
    if type(value) in (dict, OrderedDict):
        return all(is_plain(part) for pair in value.items() for part in pair)
    if type(value) in (list, tuple):
        return all(map(is_plain, value))
    if type(value) is Tensor:
        return holds_its_numbers(value)
    return value is None or type(value) in (bool, int, float, str)


def holds_its_numbers(tensor: Tensor) -> bool:
    """Return whether a tensor has a number in memory for each of its values.

    >>> holds_its_numbers(torch.ones(2)), holds_its_numbers(torch.ones(1).expand(2))
    (True, False)
    """
    dense = tensor.layout == torch.strided and not tensor.is_quantized
    return dense and tensor.nbytes <= tensor.untyped_storage().nbytes()
