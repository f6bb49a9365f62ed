"""Every combination of the values given."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from unet_exp.sweeps.runner import Runner

if TYPE_CHECKING:
    from hydra.plugins.sweeper import Sweeper


def run_grid(plugin: "Sweeper", arguments: Sequence[str]) -> None:
    """Run the jobs that are not done yet, after all of them were rehearsed."""
    runner = Runner(plugin, arguments, "grid")
    jobs = runner.plan(runner.words.combinations())
    runner.rehearse(jobs)
    with runner.opened():
        runner.launch(jobs)
