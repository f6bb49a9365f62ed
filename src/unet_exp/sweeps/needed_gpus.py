"""How many GPUs the jobs of a sweep need, by the trainers that they choose."""

from collections.abc import Sequence

from unet_exp.configuration.groups import is_group
from unet_exp.configuration.overrides import key_of
from unet_exp.configuration.tree import is_under
from unet_exp.sweeps.job_runner import JobRunner
from unet_exp.training.devices import requested_gpus


def needed_gpus(runner: JobRunner, job_overrides: Sequence[Sequence[str]]) -> int:
    """Return how many GPUs are enough for each job: those of the job that needs most.

    Raises ValueError if ``trainer.devices`` of a job cannot be read.
    """
    # Composing takes a while, and most jobs differ in values that leave the trainer as it is.
    choices = {deciding(overrides) for overrides in job_overrides}
    trainers = [runner.compose(0, overrides).trainer for overrides in sorted(choices)]
    return max(requested_gpus(one.accelerator, one.devices) for one in trainers)


def deciding(overrides: Sequence[str]) -> tuple[str, ...]:
    """Return the overrides that decide about the trainer; all, if it refers to other values.

    >>> deciding(["seed=4", "trainer=ddp"])
    ('trainer=ddp',)
    >>> deciding(["seed=4", "trainer.devices=${seed}"])
    ('seed=4', 'trainer.devices=${seed}')
    """
    found = tuple(filter(may_choose_trainer, overrides))
    return tuple(overrides) if any("${" in one for one in found) else found


def may_choose_trainer(override: str) -> bool:
    """Tell whether an override may change the trainer.

    >>> [may_choose_trainer(one) for one in ("trainer=cpu", "trainer.devices=2", "seed=1")]
    [True, True, False]
    """
    key = key_of(override)
    return is_under(key, ["trainer"]) or is_group(key)
