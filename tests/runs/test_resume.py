"""From which checkpoints a training can continue."""

from pathlib import Path
from typing import Any

import pytest

from unet_exp.configuration.tree import differences
from unet_exp.runs.resume import fixed, require_same_target
from unet_exp.training.checkpoint import CheckpointError


def learning(target: str) -> dict[str, Any]:
    return {"target": {"_target_": f"unet_exp.targets.{target}.Any"}}


def test_a_network_that_has_learned_another_target_is_refused() -> None:
    require_same_target(Path("a.ckpt"), learning("distance"), learning("distance"))
    for damaged in ({}, {"target": 3}, {"target": {"_target_": ["os.system"]}}):
        require_same_target(Path("a.ckpt"), damaged, learning("distance"))  # refused elsewhere
    told = r"a\.ckpt was trained with target=foreground, .* has target=distance.* pass target=fore"
    with pytest.raises(CheckpointError, match=told):
        require_same_target(Path("a.ckpt"), learning("foreground"), learning("distance"))


def test_a_checkpoint_of_an_earlier_version_fits_unless_images_are_resized_now() -> None:
    before = {"loader": {"tile": 256}, "dataset": {"fold": 0}}
    now = {"loader": {"tile": 256, "scale": 1.0}, "dataset": {"fold": 0, "pixel_size": 0.5}}
    assert list(differences(fixed(before), fixed(now))) == []
    now["loader"]["scale"] = 0.5
    assert list(differences(fixed(before), fixed(now))) == [("loader.scale", 1.0, 0.5)]
