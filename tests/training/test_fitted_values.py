"""Fitted values in a checkpoint: kept separately, used unless overridden, and read safely."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import OmegaConf

from unet_exp.configuration import schema
from unet_exp.training.checkpoint import CheckpointError, read_content
from unet_exp.training.fitted_values import (
    KEY,
    FittedValues,
    read_fitted,
    store_fitted,
    with_fitted,
)

SCORES = {"seg": {"unfitted": 0.5, "fitted": 0.75, "left_out": math.nan}}
FITTED: dict[str, Any] = {
    "values": {"threshold": 0.3, "min_size": 20},
    "criterion": "seg",
    "images": 4,
    "scores": SCORES,
}
PART = {
    "_target_": "unet_exp.postprocessing.components.Components",
    "threshold": 0.5,
    "min_size": 5,
    "fit": True,
}


def used(given: dict[str, Any], fitted: Any = FITTED) -> dict[str, Any]:
    schema.register()
    config = OmegaConf.create({"postprocessing": {**PART, **given}})
    part, _ = with_fitted(Path("a.ckpt"), config, {KEY: fitted}, given)
    return {name: part[name] for name in ("threshold", "min_size")}


def test_a_checkpoint_keeps_them_with_all_other_content(tmp_path: Path) -> None:
    path = tmp_path / "best.ckpt"
    weights = {"a": torch.arange(3.0)}
    content = {"config": {"model": {}}, "state_dict": weights, "global_step": 7}
    torch.save(content, path)
    store_fitted(path, FITTED)
    found = read_fitted(path, read_content(path))
    assert found is not None
    assert (found.values, found.criterion, found.images) == (FITTED["values"], "seg", 4)
    assert found.scores["seg"]["fitted"] == 0.75
    assert math.isnan(found.scores["seg"]["left_out"])
    held = torch.load(path, weights_only=True)
    assert torch.equal(held.pop("state_dict")["a"], weights["a"])
    assert held.pop(KEY).keys() == FITTED.keys()
    assert held == {"config": {"model": {}}, "global_step": 7}
    store_fitted(path, None)
    assert KEY not in torch.load(path, weights_only=True)


def test_a_checkpoint_without_a_fit_has_none() -> None:
    assert read_fitted(Path("a.ckpt"), {"config": {}}) is None
    assert used({}, fitted=None) == {"threshold": 0.5, "min_size": 5}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, (0.3, 20)),
        ({"threshold": 0.8}, (0.8, 20)),
        ({"fit": False}, (0.5, 5)),
        ({"_target_": PART["_target_"]}, (0.5, 5)),
    ],
)
def test_they_are_used_unless_overruled(given: dict[str, Any], expected: tuple[Any, Any]) -> None:
    assert tuple(used(given).values()) == expected


@pytest.mark.parametrize(
    "change",
    [
        {"values": {"_target_": "os.system"}},
        {"values": {"threshold": {"_target_": "os.system"}}},
        {"values": {"threshold": "${oc.env:HOME}"}},
        {"values": {"threshold": "0.3"}},
        {"values": {"treshold": 0.3}},
        {"values": {"min_size": 0.5}},
        {"values": [0.3]},
        {"values": {"min_size": 2**70}},
        {"images": "4"},
        {"criterion": "iou"},
        {"scores": {"seg": {"unfitted": 0.5}}},
        {"scores": {"seg": {"unfitted": 0.5, "fitted": math.inf, "left_out": 0}}},
        {"scores": None},
    ],
)
def test_values_that_training_does_not_write_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(CheckpointError, match=r"a\.ckpt holds .*postprocessing\.fit=false"):
        used({}, {**FITTED, **change})


def test_a_list_in_their_place_is_refused() -> None:
    with pytest.raises(CheckpointError, match=r"a\.ckpt holds"):
        used({}, [FITTED])


@pytest.mark.parametrize(
    ("values", "given", "told"),
    [
        (
            FITTED["values"],
            {},
            "threshold, min_size fitted to 4 validation images at the end of tr",
        ),
        (FITTED["values"], {"min_size": 7}, "threshold fitted to 4 validation images at the end"),
        (FITTED["values"], {"min_size": 7, "threshold": 0.9}, "not fitted to validation images"),
        ({}, {}, "the fit to 4 validation images at the end of training changed no value"),
    ],
)
def test_only_values_that_were_fitted_are_called_so(
    values: dict[str, Any], given: dict[str, Any], told: str
) -> None:
    fitted = FittedValues(values, "seg", 4, SCORES)
    said = fitted.described({**PART, **values, **given})
    assert said.startswith(told)
    assert ("seg 0.5" in said) == (bool(values) and not given)
