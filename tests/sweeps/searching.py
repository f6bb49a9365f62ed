"""A search whose jobs score their own value at once: ``python -m tests.sweeps.searching FOLDER``.

The study is in the database at the address in ``STUDY``.
"""

import logging
import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import optuna
from omegaconf import DictConfig
from optuna.distributions import FloatDistribution

from unet_exp.records.sweep_folder import Job
from unet_exp.sweeps.plan import plan_jobs
from unet_exp.sweeps.samplers import SamplerOfTrials, quiet_optuna
from unet_exp.sweeps.search import Search
from unet_exp.sweeps.settings import SearchSettings
from unet_exp.sweeps.study_storage import opened_storage

TRIALS = 12


class Planning:
    """In place of a runner: it plans jobs as a runner does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.record: Any = SimpleNamespace(jobs=[])

    def plan(self, combinations: list[tuple[str, ...]]) -> None:
        self.record.jobs = plan_jobs(combinations, self.record.jobs)


class Jobs(Planning):
    """Each job writes its score into a file, and a second time it fails."""

    def summary(self, job: Job) -> dict[str, Any]:
        file = self.folder / job.folder
        if not file.exists():
            return {}
        return {"state": "finished", "scores": {"val/seg": float(file.read_text())}}

    def launch(self, jobs: list[Job]) -> None:
        for job in jobs:
            time.sleep(0.05)
            with (self.folder / job.folder).open("x") as file:
                file.write(job.overrides[0].partition("=")[2])


def main(folder: str) -> None:
    """Run a search in a folder, whose name is that of the sweep."""
    logging.basicConfig(level=logging.WARNING)
    path = Path(folder)
    path.mkdir()
    settings: Any = SearchSettings(n_trials=TRIALS)
    settings.sampler = DictConfig({"_target_": "optuna.samplers.RandomSampler"})
    settings.storage = os.environ["STUDY"]
    runner: Any = Jobs(path)
    with quiet_optuna():
        storage = opened_storage(settings.storage, path)
        study = optuna.create_study(
            storage=storage,
            sampler=SamplerOfTrials(settings),
            study_name="shared",
            direction="maximize",
            load_if_exists=True,
        )
        space = {"optimizer.lr": FloatDistribution(0, 1)}
        Search(runner, study, storage, space, ["val/seg"], settings).run()


if __name__ == "__main__":
    main(sys.argv[1])
