"""Damaged run folders and sweeps: pages of them are written, or refused by a clear error."""

import json
import shutil
from pathlib import Path
from random import Random

from campaigns import commands
from campaigns.mutate.damage import damaged, rewritten, text_damaged
from campaigns.trials import FaultError
from unet_exp.configuration.overrides import CommandLine
from unet_exp.records.run_folder import RunFolder
from unet_exp.records.sweep_folder import Job, SweepFolder, SweepRecord
from unet_exp.reports.run_page import write_run_page
from unet_exp.sweeps.resuming import with_resumed

#: Files of a run that are read again.
READ = (
    "summary.json", "progress.json", "metrics.csv", "config.yaml", ".hydra/overrides.yaml",
    ".hydra/config.yaml", "validation/evaluation.json", "validation/per_image.csv",
    "validation/objects.csv",
)  # fmt: skip


def damage_record(path: Path, rng: Random) -> None:
    """Damage a file of a record: a value of JSON, characters of a text, or any bytes."""
    content = path.read_bytes()
    kind = rng.random()
    if kind < 0.5 and path.suffix == ".json":
        path.write_text(json.dumps(rewritten(json.loads(content), rng)))
    elif kind < 0.8:
        text = content.decode()
        for _ in range(rng.choice((1, 2, 5))):
            text = text_damaged(text, rng)
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
    else:
        path.write_bytes(damaged(content, rng))


class Runs:
    """Trials with the folder of a tiny training."""

    def __init__(self, sound: Path) -> None:
        self.sound = sound

    def page(self, rng: Random, folder: Path) -> None:
        """Write the page of a run with a damaged file."""
        run = folder / "run"
        shutil.copytree(self.sound, run, ignore=shutil.ignore_patterns("*.ckpt", "*.png"))
        for name in rng.sample(READ, rng.choice((1, 1, 2))):
            if (run / name).is_file():
                damage_record(run / name, rng)
        page = write_run_page(RunFolder(run)).read_text()
        if "<script>alert" in page or not page.rstrip().endswith("</html>"):
            raise FaultError("report.html is cut short, or has a script of the record")


class Sweeps:
    """Trials with the folder of a sweep of two tiny trainings."""

    def __init__(self, sound: Path) -> None:
        self.sound = sound

    def copy(self, rng: Random, folder: Path) -> Path:
        """Copy the sweep, and damage sweep.json, at times a job's record too."""
        sweep = folder / "sweep"
        shutil.copytree(self.sound, sweep, ignore=shutil.ignore_patterns("*.ckpt", "*.png"))
        if rng.random() < 0.8:
            damage_record(sweep / "sweep.json", rng)
        if rng.random() < 0.4:
            damage_record(sweep / "0" / rng.choice(READ[:5]), rng)
        return sweep

    def table(self, rng: Random, folder: Path) -> None:
        """Write table and page of a damaged sweep, as ``unet-sweep`` does."""
        sweep = self.copy(rng, folder)
        code = commands.run("sweep", [str(sweep)])
        commands.require_told(code, "unet-sweep")
        if code == 0 and not (sweep / "sweep.html").is_file():
            raise FaultError("unet-sweep says that it is done, and there is no sweep.html")
        if "cannot be read (" in (text := commands.screen()) and "Error: Type" in text:
            raise FaultError(text[-300:])

    def resumed(self, rng: Random, folder: Path) -> None:
        """Read what a damaged sweep repeats when it is resumed."""
        sweep = self.copy(rng, folder)
        try:
            with_resumed(CommandLine.read(["-m", f"sweep.resume={sweep}"], "train"))
        except ValueError as error:
            if str(folder) not in str(error):
                raise FaultError(f"{type(error).__name__} names no folder: {error}") from error


def sweep_of(run: Path, sweep: Path) -> None:
    """Write the folder of a sweep of two jobs, each a copy of one run."""
    folder = SweepFolder(sweep)
    jobs = [Job(str(number), (f"seed={number}",)) for number in range(2)]
    for job in jobs:
        shutil.copytree(run, sweep / job.folder)
    folder.write_record(
        SweepRecord(
            command="python train.py -m seed=0,1", arguments=[*commands.TINY, "seed=0,1"],
            words=list(commands.TINY), parameters=["seed"], monitor="val/seg", mode="max",
            sweeper="grid", started="2026-01-31T10:00:00", state="finished", jobs=jobs,
        )
    )  # fmt: skip
