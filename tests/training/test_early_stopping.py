"""Early stopping depends only on the scores that it is given. They are invented here."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from lightning.pytorch.trainer.states import TrainerFn

from unet_exp.training.early_stopping import EarlyStopping


def ended_at(stopping: EarlyStopping, scores: list[float]) -> int | None:
    """Which of these scores ended the training, counted from 1."""
    trainer: Any = SimpleNamespace(
        callback_metrics={}, should_stop=False, fast_dev_run=False, sanity_checking=False,
        state=SimpleNamespace(fn=TrainerFn.FITTING), current_epoch=0,
        strategy=SimpleNamespace(reduce_boolean_decision=lambda decision, all: decision),  # noqa: A006
    )  # fmt: skip
    module: Any = None
    stopping.on_train_start(trainer, module)
    for number, score in enumerate(scores, 1):
        if trainer.should_stop:
            return number - 1
        trainer.callback_metrics["val/seg"] = torch.tensor(score)
        stopping.on_validation_end(trainer, module)
        stopping.on_train_epoch_end(trainer, module)  # which counts no second time
    return len(scores) if trainer.should_stop else None


@pytest.mark.parametrize(
    ("options", "scores", "end"),
    [
        ({"patience": 2}, [0.5, 0.4, 0.5, 0.9], 3),
        ({"patience": 2}, [0.1, 0.2, 0.2, 0.3, 0.3], None),
        ({"patience": 1, "min_delta": 0.2}, [0.1, 0.25, 0.9], 2),
        ({"patience": 2}, [0.1, float("nan"), float("nan"), 0.3], 3),
        ({"patience": 2}, [0.1, float("nan"), 0.3, 0.4], None),
        ({"stopping_threshold": 0.8}, [0.1, 0.9, 0.95], 2),
        ({"divergence_threshold": 0.1}, [0.5, 0.05, 0.6], 2),
    ],
)
def test_a_score_without_improvement_ends(
    options: dict[str, Any], scores: list[float], end: int | None
) -> None:
    assert ended_at(EarlyStopping("val/seg", "max", **options), scores) == end


def test_a_resumed_training_keeps_the_count() -> None:
    before = EarlyStopping("val/seg", "max", patience=3)
    assert ended_at(before, [0.5, 0.4]) is None
    resumed = EarlyStopping("val/seg", "max", patience=3)
    resumed.load_state_dict(before.state_dict())
    assert ended_at(resumed, [0.4, 0.4, 0.9]) == 2
    assert resumed.stopping_reason_message == (
        "val/seg did not improve in 3 validations (best 0.5000)"
    )


@pytest.mark.parametrize(("patience", "end"), [(1, 0), (2, 0), (3, 1)])
def test_the_patience_of_a_resumed_training_is_the_one_given_now(patience: int, end: int) -> None:
    before = EarlyStopping("val/seg", "max", patience=2)
    assert ended_at(before, [0.5, 0.4, 0.4]) == 3
    resumed = EarlyStopping("val/seg", "max", patience=patience)
    resumed.load_state_dict(before.state_dict())
    assert ended_at(resumed, [0.3, 0.3]) == end


@pytest.mark.parametrize(("threshold", "end"), [(0.8, 0), (0.95, None)])
def test_a_threshold_that_was_passed_ends_still(threshold: float, end: int | None) -> None:
    before = EarlyStopping("val/seg", "max", stopping_threshold=0.8)
    assert ended_at(before, [0.9]) == 1
    resumed = EarlyStopping("val/seg", "max", stopping_threshold=threshold)
    resumed.load_state_dict(before.state_dict())
    assert ended_at(resumed, [0.85]) == end


@pytest.mark.parametrize("options", [{"patience": 0}, {"mode": "most"}])
def test_invalid_settings_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="Give"):
        EarlyStopping(**{"monitor": "val/seg", "mode": "max", **options})
