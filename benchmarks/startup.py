"""Time until something is seen, each in a process of its own.

Compared: ``import torch``, and the start of lightning-hydra-template, which imports Lightning,
torch and Hydra and composes a configuration of this size before its first line.
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


def start(words: list[str], folder: Path) -> None:
    environment = {**os.environ, "UNET_EXP_CACHE": str(folder / "cache")}
    subprocess.run(words, cwd=folder, env=environment, check=True, capture_output=True)


def composed(folder: Path) -> Path:
    """Write this project's configuration as one plain file, for the template's start to read."""
    words = [sys.executable, str(ROOT / "train.py"), "--cfg", "job"]
    text = subprocess.run(words, cwd=folder, check=True, capture_output=True, text=True).stdout
    # Resolvers of ours are unknown there.
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
            "train.py, a step, validated, saved": [*train, *STEP],
        }
        times = alternate(
            {case: lambda words=words: start(words, folder) for case, words in starts.items()},
            arguments.rounds,
            warm=not arguments.quick,
        )
    torch, peer = times.pop("torch"), times.pop("template")
    for case, taken in times.items():
        told, goal = f"{spread(taken)} s", Mark(at_most=1.2) if "--" in case else None
        yield Line(case, told, "ours / import torch", over(taken, torch), goal)
        yield Line(case, told, "template's imports and compose / ours", over(peer, taken))
