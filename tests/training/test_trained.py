"""Networks from checkpoints with recorded values that this version refuses."""

from pathlib import Path
from typing import Any

import pytest
import torch

import unet_exp
from unet_exp.training.checkpoint import CheckpointError


def changed(trained: Path, folder: Path, part: str, **values: Any) -> Path:
    """The checkpoint of a run with other values of a part of its configuration."""
    content = torch.load(trained / "checkpoints" / "best.ckpt", weights_only=True)
    content["config"][part] |= values
    torch.save(content, folder / "changed.ckpt")
    return folder / "changed.ckpt"


@pytest.mark.parametrize(
    ("part", "values", "told"),
    [
        ("loss", {"reduction": "most"}, "loss.reduction=most is unknown"),
        ("postprocessing", {"threshold": 7.0}, "postprocessing.threshold=7"),
    ],
)
def test_a_checkpoint_with_a_wrong_value_is_named(
    trained: Path, tmp_path: Path, part: str, values: dict[str, Any], told: str
) -> None:
    path = changed(trained, tmp_path, part, **values)
    with pytest.raises(CheckpointError, match=rf"changed\.ckpt was not built: {told}"):
        unet_exp.load(path, device="cpu")


def test_a_wrong_value_of_the_user_does_not_blame_the_checkpoint(trained: Path) -> None:
    with pytest.raises(ValueError, match=r"^postprocessing\.threshold=7"):
        unet_exp.load(trained, "postprocessing.threshold=7", device="cpu")
