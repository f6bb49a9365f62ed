"""Run every combination of the given values."""

from collections.abc import Sequence

from unet_exp.sweeps.runner import SweepRunner
from unet_exp.sweeps.settings import HydraSweep


def run_grid(sweep: HydraSweep, arguments: Sequence[str]) -> None:
    """Rehearse all jobs that are not done yet, then run them."""
    runner = SweepRunner(sweep, arguments, "grid")
    jobs = runner.plan(runner.overrides.combinations())
    runner.rehearse(jobs)
    with runner.opened():
        runner.launch(jobs)
