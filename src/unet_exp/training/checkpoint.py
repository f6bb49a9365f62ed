"""Read checkpoints, and refuse those that are unsafe or do not fit a run."""

import pickle
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any

from unet_exp.configuration.override_errors import first_line
from unet_exp.configuration.tree import differences
from unet_exp.training.inspection import UnsafeError, inspect


class CheckpointError(Exception):
    """A checkpoint cannot be used."""


def read_content(path: Path) -> dict[str, Any]:
    """Return the content of a checkpoint without its weights, without running or building anything.

    Raises CheckpointError if the file is missing, is no checkpoint of this project, holds anything
    but plain data and tensors, or claims more data than it holds.
    """
    if not path.is_file():
        raise CheckpointError(f"No checkpoint at {path}. A run keeps its own in checkpoints/.")
    if path.suffix.lower() == ".zip":
        raise CheckpointError(
            f"{path} is a package. It holds a finished network, from which no training can go on, "
            "and which is not exported again. Give the checkpoint (.ckpt) that it was made from. "
            "predict.py, evaluate.py and unet_exp.load take a package."
        )
    try:
        content = inspect(path)
    except UnsafeError as error:
        raise CheckpointError(
            f"{path} is not safe to load: {error}. It could run code or fill the memory, so "
            "nothing of it was used. Train it again, or convert it where it is trusted."
        ) from error
    except Exception as error:  # a damaged pickle may raise anything
        raise CheckpointError(
            f"{path} cannot be read as a checkpoint ({first_line(error)}). If it was cut short, "
            "take checkpoints/last.ckpt or an earlier copy."
        ) from error
    if not isinstance(content, dict) or not isinstance(content.get("config"), dict):
        raise CheckpointError(f"{path} carries no configuration: it is not from unet_exp.")
    if "weight_map" in content["config"] and "target" not in content["config"]:
        raise CheckpointError(
            f"{path} was written by a version of unet_exp without `target` in its configuration. "
            "Train again, or use the version that wrote it."
        )
    return content


def read_weights(path: Path) -> Mapping[str, Any]:
    """Return the weights of a checkpoint that :func:`read_content` has found safe.

    Raises CheckpointError if torch cannot read them, or there are none.
    """
    import torch

    try:
        return torch.load(path, map_location="cpu", weights_only=True)["state_dict"]
    except (pickle.UnpicklingError, RuntimeError, ValueError, KeyError, EOFError) as error:
        raise CheckpointError(
            f"{path} cannot be read as a checkpoint ({first_line(error)}). Take the file as "
            "training wrote it."
        ) from error


def require_own_paths(path: Path, content: dict[str, Any]) -> None:
    """Refuse a checkpoint with paths outside of its run, in the states of its callbacks.

    Lightning deletes the previous best checkpoint, at the path that the checkpoint gives.

    Raises CheckpointError with the path.
    """
    states = content.get("callbacks")
    for state in states.values() if isinstance(states, dict) else ():
        for text in texts(state):
            if "://" in text or ".." in PurePath(text.replace("\\", "/")).parts:
                raise CheckpointError(
                    f"{path} names a file outside of its run ({text[:80]}). A training that goes "
                    "on from it could delete that file. Use a checkpoint of your own."
                )


def texts(data: Any) -> Iterator[str]:
    """Yield every string in plain data, keys included.

    >>> list(texts({"best": ["a.ckpt", 1]}))
    ['best', 'a.ckpt']
    """
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from texts(key)
            yield from texts(value)
    elif isinstance(data, list | tuple | set):
        for value in data:
            yield from texts(value)


def require_same_model(path: Path, old: dict[str, Any], new: dict[str, Any]) -> None:
    """Refuse a checkpoint of another architecture.

    Raises CheckpointError with what differs.
    """
    found = list(differences(old.get("model"), new.get("model"), "model"))
    if found:
        asked = ", ".join(f"{key}={now}" for key, _, now in found)
        held = " ".join(f"{key}={then}" for key, then, _ in found)
        raise CheckpointError(
            f"{path} has another architecture than this run, which has {asked}. To use the "
            f"checkpoint, pass {held}; to train the new network, leave out ckpt_path."
        )
