"""Checkpoints that carry their configuration, as plain data, and build only what is ours."""

import pickle
import re
import zipfile
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import torch

#: Parts of the configuration that are built again from a checkpoint.
PARTS = (
    "dataset",
    "weight_map",
    "loader",
    "model",
    "loss",
    "metric",
    "inference",
    "postprocessing",
)


class CheckpointError(Exception):
    """A checkpoint that cannot be used, and why."""


def read_checkpoint(path: Path, allowed: Collection[str] | None) -> dict[str, Any]:
    """Read a checkpoint and check all that it would build.

    Parameters
    ----------
    allowed
        The dotted paths that the checkpoint may build: the options of ``conf/``, and what the
        user trusts besides. None if nothing will be built from it.

    Raises
    ------
    CheckpointError
        If the file is missing, is no checkpoint of this project, holds anything but plain data
        and tensors, or names a target that is not allowed.
    """
    if not path.is_file():
        raise CheckpointError(f"No checkpoint at {path}. A run keeps its own in checkpoints/.")
    try:
        if not zipfile.is_zipfile(path):
            raise ValueError("no zip archive, as torch.save makes them")
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        found = re.search(r"GLOBAL (\S+)", str(error))
        raise CheckpointError(
            f"{path} holds more than plain data and tensors ({found[1] if found else 'code'}) and "
            "could run code, so it was not loaded. Train it again, or convert it where trusted."
        ) from error
    except Exception as error:  # a damaged pickle may raise anything
        raise CheckpointError(
            f"{path} cannot be read as a checkpoint ({first_line(error)}). If it was cut short, "
            "take checkpoints/last.ckpt or an earlier copy."
        ) from error
    if not isinstance(content, dict) or not isinstance(content.get("config"), dict):
        raise CheckpointError(f"{path} carries no configuration: it is not from unet_exp.")
    config = content["config"]
    for key, target in targets({part: config.get(part) for part in PARTS}) if allowed else ():
        if allowed and target not in allowed:
            raise CheckpointError(
                f"{path} asks for {key}={target}, which is no option of unet_exp, so nothing was "
                f"built. If you trust that code, add trust=[{target}]."
            )
    return content


def targets(config: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Yield each ``_target_`` within plain data, with where it stands.

    >>> list(targets({"loss": {"terms": {"a": {"_target_": "os.system"}}}}))
    [('loss.terms.a._target_', 'os.system')]

    Raises
    ------
    CheckpointError
        If a value would be interpolated: a resolved configuration has nothing left to look up.
    """
    if isinstance(config, dict):
        for name, value in config.items():
            place = f"{key}.{name}" if key else str(name)
            if name == "_target_":
                yield place, str(value)
            else:
                yield from targets(value, place)
    elif isinstance(config, list | tuple):
        for index, value in enumerate(config):
            yield from targets(value, f"{key}[{index}]")
    elif isinstance(config, str) and "${" in config:
        raise CheckpointError(f"The checkpoint's {key}={config} is not plain data; not built.")


def differences(old: Any, new: Any, key: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield the places where two configurations differ, with both values.

    >>> list(differences({"model": {"depth": 4}}, {"model": {"depth": 5}}))
    [('model.depth', 4, 5)]
    """
    if isinstance(old, dict) and isinstance(new, dict):
        for name in dict.fromkeys([*old, *new]):
            yield from differences(old.get(name), new.get(name), f"{key}.{name}".lstrip("."))
    elif old != new:
        yield key, old, new


def require_same_model(path: Path, old: dict[str, Any], new: dict[str, Any]) -> None:
    """Refuse to go on with a checkpoint of another architecture.

    Raises
    ------
    CheckpointError
        Naming what differs.
    """
    found = list(differences(old.get("model"), new.get("model"), "model"))
    if found:
        asked = ", ".join(f"{key}={now}" for key, _, now in found)
        held = " ".join(f"{key}={then}" for key, then, _ in found)
        raise CheckpointError(
            f"{path} is of another architecture than this run, which asks for {asked}. To use "
            f"it, pass {held}; to train the new network, drop ckpt_path."
        )


def first_line(error: BaseException) -> str:
    """Return the first line of what an exception says."""
    return (str(error).splitlines() or [type(error).__name__])[0]
