"""Fitted values of the postprocessing in a checkpoint, in addition to the values of its run.

They are read as carefully as the rest of a checkpoint, which may come from a stranger.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from unet_exp.configuration.buildable import Checker, NotBuildableError, brief
from unet_exp.configuration.revision import merged
from unet_exp.numbers import format_score
from unet_exp.training.checkpoint import CheckpointError, read_content
from unet_exp.training.whole_files import WholeFiles

#: The key of the fitted values in a checkpoint.
KEY = "fitted_postprocessing"
#: For each score, the kinds of values that are kept.
KINDS = ("unfitted", "fitted", "left_out")


@dataclass(frozen=True)
class FittedValues:
    """Values of the postprocessing that were fitted to validation images at the end of a training.

    Attributes
    ----------
    values
        The parameters that changed.
    criterion
        The score that they were fitted to.
    images
        The number of images.
    scores
        For each score of instances, ``unfitted``, ``fitted`` to the same images, and ``left_out``:
        each image with the values fitted to the others.
    """

    values: dict[str, Any]
    criterion: str
    images: int
    scores: dict[str, dict[str, float]]

    def described(self, used: Mapping[str, Any]) -> str:
        """Return which of the values in use were fitted, and by which scores, in one line.

        ``used`` are all values in use; a command may have given some of them.
        """
        where = f"to {self.images} validation images at the end of training"
        if not self.values:
            return f"the fit {where} changed no value"
        kept = [name for name, value in self.values.items() if used.get(name) == value]
        if not kept:
            return "not fitted to validation images"
        if len(kept) < len(self.values):
            return f"{', '.join(kept)} fitted {where}, the others given"
        found = [format_score(self.scores[self.criterion][kind]) for kind in KINDS]
        return (
            f"{', '.join(kept)} fitted {where} ({self.criterion} {found[0]} -> {found[1]}, "
            f"left-out estimate {found[2]})"
        )


def store_fitted(path: Path, fitted: Mapping[str, Any] | None) -> None:
    """Write fitted values into a checkpoint, or remove them; the rest stays the same.

    Raises CheckpointError if the file is no safe checkpoint.
    """
    if read_content(path).get(KEY) == fitted:
        return
    content = torch.load(path, map_location="cpu", weights_only=True)
    content.pop(KEY, None)
    if fitted is not None:
        content[KEY] = dict(fitted)
    WholeFiles().save(content, path)


def read_fitted(path: Path, content: Mapping[str, Any]) -> FittedValues | None:
    """Return the fitted values in the content of a checkpoint, if it has any.

    Raises CheckpointError if they are not what :func:`store_fitted` writes.
    """
    held = content.get(KEY)
    if held is None:
        return None
    try:
        Checker().plain(KEY, held)
        return checked(held)
    except (NotBuildableError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{path} holds fitted values of postprocessing that are not as training writes them "
            f"({brief(str(error))}). Take the checkpoint as training wrote it, or add "
            "postprocessing.fit=false to use the values it was trained with."
        ) from error


def checked(held: Mapping[str, Any]) -> FittedValues:
    """Return plain data as fitted values.

    Raises KeyError, TypeError or ValueError if they are incomplete or of other types.
    """
    values, criterion, images, scores = (
        held[name] for name in ("values", "criterion", "images", "scores")
    )
    if not isinstance(values, Mapping) or not isinstance(scores, Mapping):
        raise TypeError("values and scores are no dictionaries")
    if not all(type(value) in (bool, int, float) for value in values.values()):
        raise TypeError("a value is no number")
    if type(images) is not int or not all(str(name).isidentifier() for name in scores):
        raise TypeError("images is no number, or a score has no name")
    read = {
        str(name): {kind: float(found[kind]) for kind in KINDS} for name, found in scores.items()
    }
    if criterion not in read or any(math.isinf(x) for one in read.values() for x in one.values()):
        raise ValueError("a score is missing, or infinite")
    return FittedValues(dict(values), criterion, images, read)


def with_fitted(
    path: Path, config: DictConfig, content: Mapping[str, Any], given: Mapping[str, Any]
) -> tuple[DictConfig, FittedValues | None]:
    """Return the values of postprocessing to use, and the fitted values if they are used.

    Values that are ``given`` are not replaced by fitted ones. No value is replaced if another
    option of postprocessing is chosen, or with ``postprocessing.fit=false``.

    Parameters
    ----------
    config
        The configuration of the checkpoint, with the ``given`` values in it.
    content
        The checkpoint as :func:`unet_exp.training.checkpoint.read_content` returns it.

    Raises CheckpointError if the fitted values are not as training writes them.
    """
    part = config.postprocessing
    if "_target_" in given or part.get("fit") is False:
        return part, None
    fitted = read_fitted(path, content)
    if fitted is None:
        return part, None
    free = {name: value for name, value in fitted.values.items() if name not in given}
    try:
        held: Any = OmegaConf.to_container(part)
        return merged("postprocessing", held, free), fitted
    except OmegaConfBaseException as error:
        reason = str(error).splitlines()[0]
        raise CheckpointError(
            f"{path} holds a fitted value that does not fit its postprocessing: {brief(reason)}. "
            "Take the checkpoint as training wrote it, or add postprocessing.fit=false."
        ) from error
