"""A training that is resumed with more steps uses the schedule of all its steps."""

from functools import partial
from typing import Any

import pytest
import torch
from torch import nn
from torch.optim import lr_scheduler

from unet_exp.training.schedule import reschedule, schedule_at

OPTIMIZERS = {"sgd": partial(torch.optim.SGD, lr=0.5, momentum=0.8), "adam": torch.optim.AdamW}
SCHEDULERS = {
    "cosine": lambda steps: partial(lr_scheduler.CosineAnnealingLR, T_max=steps),
    "poly": lambda steps: partial(lr_scheduler.PolynomialLR, total_iters=steps, power=0.9),
    "one_cycle": lambda steps: partial(lr_scheduler.OneCycleLR, max_lr=0.5, total_steps=steps),
    "constant": lambda steps: partial(lr_scheduler.ConstantLR, factor=1.0, total_iters=0),
}


def values(optimizer: torch.optim.Optimizer) -> list[float]:
    (group,) = optimizer.param_groups
    return [group["lr"], group.get("momentum", 0.0), *group.get("betas", ())]


@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_longer_schedule_continues_as_if_it_had_been_used_from_the_start(
    optimizer: str, scheduler: str
) -> None:
    def train(steps: int, total: int) -> tuple[torch.optim.Optimizer, Any, list[Any]]:
        built = OPTIMIZERS[optimizer]([nn.Parameter(torch.ones(2))])
        schedule, seen = SCHEDULERS[scheduler](total)(built), []
        for _ in range(steps):
            built.step()
            schedule.step()
            seen.append(values(built))
        return built, schedule, seen

    short, schedule, _ = train(5, 5)
    checkpoint = {
        "optimizer_states": [short.state_dict()],
        "lr_schedulers": [schedule.state_dict()],
    }
    weight = nn.Parameter(torch.ones(2))
    found = schedule_at(5, [weight], OPTIMIZERS[optimizer], SCHEDULERS[scheduler](12))
    reschedule(checkpoint, *found)
    assert torch.equal(weight, torch.ones(2))

    resumed, schedule, _ = train(0, 12)
    resumed.load_state_dict(checkpoint["optimizer_states"][0])
    schedule.load_state_dict(checkpoint["lr_schedulers"][0])
    _, _, expected = train(12, 12)
    assert values(resumed) == pytest.approx(expected[4], rel=1e-9)
    for step in range(5, 12):
        resumed.step()
        schedule.step()
        assert values(resumed) == pytest.approx(expected[step], rel=1e-9, abs=1e-12)
