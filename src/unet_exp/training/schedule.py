"""Learning-rate schedule of a training that is resumed with another number of steps.

The scheduler's state in a checkpoint has the old number of steps. After these steps, a cosine would
rise again, and ``one_cycle`` would raise an error. So the new schedule replaces it, at the step
that the training has reached.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import nn

#: Settings of an optimiser's groups that schedulers change, or keep there.
SCHEDULED = (
    "lr", "initial_lr", "max_lr", "min_lr", "momentum", "base_momentum", "max_momentum", "betas",
)  # fmt: skip


def schedule_at(
    step: int,
    parameters: Iterable[nn.Parameter],
    optimizer: Callable[..., torch.optim.Optimizer],
    scheduler: Callable[..., Any],
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the state of a scheduler after some steps, and its values in the optimiser's groups.

    Parameters
    ----------
    parameters
        Parameters of the network. They must have no gradients, and are not changed.

    >>> weight = nn.Parameter(torch.ones(1))
    >>> halving = lambda optimizer: torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    >>> schedule_at(3, [weight], lambda p: torch.optim.SGD(p, lr=0.8), halving)[1][0]["lr"]
    0.1
    """
    built = optimizer(parameters)
    schedule = scheduler(built)
    for _ in range(step):
        built.step()  # schedulers warn if it comes after theirs
        schedule.step()
    groups = [
        {name: group[name] for name in SCHEDULED if name in group} for group in built.param_groups
    ]
    return schedule.state_dict(), groups


def reschedule(
    checkpoint: dict[str, Any], state: dict[str, Any], groups: list[dict[str, Any]]
) -> None:
    """Write the result of :func:`schedule_at` into a checkpoint that a training resumes from."""
    checkpoint["lr_schedulers"] = [state]
    held = checkpoint["optimizer_states"][0]["param_groups"]
    for group, values in zip(held, groups, strict=True):
        group.update(values)


def stretch(
    checkpoint: dict[str, Any],
    config: Mapping[str, Any],
    state_at: Callable[[int], tuple[dict[str, Any], list[dict[str, Any]]]],
) -> None:
    """Replace the schedule of a checkpoint by that of a configuration, if the lengths differ.

    ``state_at`` returns the result of :func:`schedule_at` for a step.
    """
    held = checkpoint.get("config", {}).get("scheduler")
    if held == config.get("scheduler") or not checkpoint.get("lr_schedulers"):
        return
    step = min(checkpoint["global_step"], config["trainer"]["max_steps"])
    reschedule(checkpoint, *state_at(step))


def describe_change(step: int, planned: int, steps: int, rate: float) -> str:
    """Describe the learning rate from a step on, if ``steps`` replaces the ``planned`` number.

    >>> describe_change(4, 4, 8, 0.001)
    'was planned for 4 steps; from step 4 on, it is that of 8 steps, with a learning rate of 0.001'
    """
    return (
        f"was planned for {planned} steps; from step {step} on, it is that of {steps} steps, "
        f"with a learning rate of {rate:.2g}"
    )
