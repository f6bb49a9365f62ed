"""Loads: a large input is measured at several sizes, so that its growth is a number.

Each kind measures the processor's seconds and the peak of memory at 1/64, 1/8, 1/4 and all of the
full size, each in a new process. The first is subtracted, since it is what a command takes at
least; "n^" is the slope of the others on logarithmic scales, and "-" stands for values that do not
grow beyond noise. An exponent above 1.2 is a fault. `--share` makes all sizes smaller.
"""

import os
from pathlib import Path

from campaigns import commands
from campaigns.commands import TINY
from campaigns.growth import Load, growing
from campaigns.inputs import finished_run, finished_sweep, images, labelled, many_objects
from campaigns.objects import objects_of
from campaigns.trials import Kind, Limits
from campaigns.validations import validate_often

CASES = 1
LIMITS = Limits(seconds=3600)


def kinds(place: Path, share: float = 1.0) -> dict[str, Kind]:
    """Train a network and a sweep of two jobs, from which inputs of any size are made."""
    trained, swept = place / "trained", place / "swept"
    os.chdir(place)
    train(f"hydra.run.dir={trained}")
    train("-m", "seed=0,1", f"hydra.sweep.dir={swept}")
    found = {**of_images(trained), **of_records(trained, swept)}
    return {name: Kind(growing(load, share)) for name, load in found.items()}


def train(*words: str) -> None:
    if commands.run("train", [*TINY, *words]):
        raise RuntimeError("The first training has failed.")


def of_images(trained: Path) -> dict[str, Load]:
    """Loads of many images, and of an image with many objects."""
    best = trained / "checkpoints" / "best.ckpt"

    def segment(here: Path, size: int) -> int:
        return commands.run("predict", [
            f"checkpoint={best}", f"input={here / 'images'}", f"output={here / 'out'}",
            "accelerator=cpu", "outputs=[instances]",
        ])  # fmt: skip

    def segment_twice(here: Path, size: int) -> int:
        return segment(here, size) or segment(here, size)

    def score(here: Path, size: int) -> int:
        return commands.run("evaluate", [
            f"checkpoint={best}", "dataset=folder", f"dataset.root={here}", "accelerator=cpu",
            f"hydra.run.dir={here / 'scored'}",
        ])  # fmt: skip

    def validate(here: Path, size: int) -> int:
        one = ("trainer.max_steps=1", "loader.steps_per_validation=1", "dataset=folder")
        words = [word for word in TINY if not word.startswith(("dataset.", "trainer.max_steps"))]
        return commands.run("train", [*words, *one, f"dataset.root={here}", run_dir(here)])

    def preview(here: Path, size: int) -> int:
        words = [word for word in TINY if not word.startswith("dataset.")]
        own = ["dataset=folder", f"dataset.root={here}", "preview=true", run_dir(here)]
        return commands.run("train", [*words, *own])

    return {
        "preview": Load(20_000, labelled, preview),
        "predict": Load(20_000, images, segment),
        "predict_twice": Load(20_000, images, segment_twice),
        "evaluate": Load(20_000, labelled, score),
        "validate": Load(5_000, labelled, validate),
        **{
            f"objects_{name}": Load(1_000_000, many_objects, task)
            for name, task in objects_of().items()
        },
    }


def run_dir(here: Path) -> str:
    return f"hydra.run.dir={here / 'run'}"


def of_records(trained: Path, swept: Path) -> dict[str, Load]:
    """Loads of runs with many validations, and of sweeps with many jobs."""

    def resume(here: Path, size: int) -> int:
        return commands.run("train", [*TINY, "resume=true", run_dir(here)])

    def report(here: Path, size: int) -> int:
        from unet_exp.records.run_folder import RunFolder
        from unet_exp.reports.run_page import write_run_page

        for _ in range(20):
            write_run_page(RunFolder(here / "run"))
        return 0

    def show(here: Path, size: int) -> int:
        from unet_exp.sweeps.conclude import conclude
        from unet_exp.sweeps.table import LiveTable

        for _ in range(5):
            LiveTable(here / "swept").draw()
        conclude(here / "swept")
        return 0

    def resume_sweep(here: Path, size: int) -> int:
        return commands.run("train", ["-m", f"sweep.resume={here / 'swept'}"])

    def score_sweep(here: Path, size: int) -> int:
        words = [f"run={here / 'swept'}", "accelerator=cpu", "pictures=0"]
        return commands.run("evaluate", [*words, f"hydra.run.dir={here / 'scored'}"])

    def sweep(here: Path, size: int) -> int:
        words = ["-m", f"seed=range({size})", f"hydra.sweep.dir={here / 'swept'}"]
        return commands.run("train", [*TINY, *words])

    def of_run(here: Path, size: int) -> None:
        finished_run(trained, here / "run", size)

    def of_sweep(here: Path, size: int) -> None:
        finished_sweep(swept, here / "swept", size)

    return {
        "validations": Load(10_000, of_run, validate_often),
        "run_page": Load(10_000, of_run, report),
        "run_resume": Load(10_000, of_run, resume),
        "sweep_page": Load(200, of_sweep, show),
        "sweep_resume": Load(200, of_sweep, resume_sweep),
        "sweep_evaluate": Load(200, of_sweep, score_sweep),
        "sweep": Load(200, lambda here, size: None, sweep),
    }
