"""Duration of short commands, each in a new process.

They are compared with ``import torch``, and with the start of lightning-hydra-template. That
project imports Lightning, torch and Hydra and composes its configuration before it prints anything;
here, it composes this project's configuration. A job of a sweep is a fifth of what a sweep of six
jobs takes longer than a sweep of one. It is compared with a job that starts as a new program
(``sweep.warm_start=false``).

Of the start up to the end of the first step of a training, the processor's seconds are compared
with those of ``import torch, lightning``, on one thread.
"""

import os
import subprocess
import sys
import tempfile
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measuring import Line, Mark, alternate, over, spread

ROOT = Path(__file__).parents[1]
TEMPLATE = """
import hydra, lightning, torch
from lightning import Callback, LightningDataModule, LightningModule, Trainer
from lightning.pytorch.loggers import Logger
with hydra.initialize_config_dir(sys.argv[1], version_base="1.3"):
    hydra.compose("config")
"""
STEP = (
    "model.depth=2", "model.base_channels=2", "dataset.size=64", "loader.tile=48",
    "loader.batch_size=1", "loader.steps_per_validation=1", "trainer=cpu", "trainer.max_steps=1",
    "postprocessing=components", "pictures.images=0", "logger=none",
)  # fmt: skip
#: Jobs of the longer one of two sweeps.
JOBS = 6
#: A callback that ends the process after the first step.
FIRST = """
import os
from lightning.pytorch import Callback
class End(Callback):
    def on_train_batch_end(self, *_):
        os._exit(0)
"""


def start(words: list[str], folder: Path, **variables: str) -> None:
    environment = {**os.environ, "UNET_EXP_CACHE": str(folder / "cache"), **variables}
    subprocess.run(words, cwd=folder, env=environment, check=True, capture_output=True)


def processor_seconds(words: list[str], folder: Path) -> float:
    """Return the processor's seconds of a command on one thread."""
    before = os.times()
    start(words, folder, OMP_NUM_THREADS="1")
    after = os.times()
    return after[2] + after[3] - before[2] - before[3]


def composed(folder: Path) -> Path:
    """Write this project's configuration as one plain file, which the template composes."""
    words = [sys.executable, str(ROOT / "train.py"), "--cfg", "job"]
    text = subprocess.run(words, cwd=folder, check=True, capture_output=True, text=True).stdout
    # The template does not know our resolvers.
    lines = [line for line in text.splitlines() if "${" not in line]
    (folder / "conf").mkdir()
    (folder / "conf" / "config.yaml").write_text("\n".join(lines))
    return folder / "conf"


def lines(arguments: Namespace) -> Iterator[Line]:
    train = [sys.executable, str(ROOT / "train.py")]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        template = [sys.executable, "-c", f"import sys\n{TEMPLATE}", str(composed(folder))]
        starts = {
            "torch": [sys.executable, "-c", "import torch"],
            "template": template,
            "train.py --help": [*train, "--help"],
            "train.py --cfg job": [*train, "--cfg", "job"],
            "train.py, one step, validation, checkpoint": [*train, *STEP],
        }
        times = alternate(
            {case: lambda words=words: start(words, folder) for case, words in starts.items()},
            arguments.rounds,
            warm=not arguments.quick,
        )
        jobs = 2 if arguments.quick else JOBS
        sweep = [*train, "-m", *STEP, "plan=none", "postprocessing.fit=false"]
        sweeps = {
            f"{start_of_jobs} {count}": [*sweep, f"sweep.warm_start={start_of_jobs}", seeds(count)]
            for start_of_jobs in ("true", "false")
            for count in (1, jobs)
        }
        sweep_times = alternate(
            {case: lambda words=words: start(words, folder) for case, words in sweeps.items()},
            1 if arguments.quick else min(3, arguments.rounds),
            warm=False,
        )
        (folder / "first.py").write_text(FIRST)
        to_first_step = [*train, *STEP, "+callbacks.end._target_=first.End"]
        both = [sys.executable, "-c", "import torch, lightning"]
        pairs = [
            (processor_seconds(to_first_step, folder), processor_seconds(both, folder))
            for _ in range(arguments.rounds)
        ]
    torch, peer = times.pop("torch"), times.pop("template")
    for case, taken in times.items():
        told, goal = f"{spread(taken)} s", Mark(at_most=1.2) if "--" in case else None
        yield Line(case, told, "ours / import torch", over(taken, torch), goal)
        yield Line(case, told, "start of lightning-hydra-template / ours", over(peer, taken))
    warm, cold = (job_seconds(sweep_times, one, jobs) for one in ("true", "false"))
    told, compared = f"{spread(warm)} s", "a job that starts as a new program / ours"
    yield Line("a job of a sweep, the same", told, compared, over(cold, warm), Mark(at_least=3))
    ours, imports = zip(*pairs, strict=True)
    yield Line(
        "train.py up to its first step, processor time", f"{spread(ours)} s",
        "ours / import torch, lightning", over(ours, imports), Mark(at_most=1.5),
    )  # fmt: skip


def seeds(count: int) -> str:
    return f"seed=range({count})"


def job_seconds(times: dict[str, list[float]], start_of_jobs: str, jobs: int) -> list[float]:
    """Seconds that each further job of a sweep takes, in each round."""
    rounds = zip(times[f"{start_of_jobs} 1"], times[f"{start_of_jobs} {jobs}"], strict=True)
    return [(long - short) / (jobs - 1) for short, long in rounds]
