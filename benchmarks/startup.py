"""Seconds until something is seen, against ``import torch`` and the usual start of a template.

python -m benchmarks.startup [--rounds N] [--quick]

Each is a whole process. The rounds alternate, and a ratio is taken within a round, so that a busy
machine slows both sides alike. The template's start is what lightning-hydra-template does before
its first line: import Lightning, torch and Hydra, and compose a configuration of this size.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.weight_map import spread

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


def seconds(words: list[str], folder: Path) -> float:
    environment = {**os.environ, "UNET_EXP_CACHE": str(folder / "cache")}
    start = time.perf_counter()
    subprocess.run(words, cwd=folder, env=environment, check=True, capture_output=True)
    return time.perf_counter() - start


def composed(folder: Path) -> Path:
    """Write this project's configuration as one plain file, for the template's start to read."""
    words = [sys.executable, str(ROOT / "train.py"), "--cfg", "job"]
    text = subprocess.run(words, cwd=folder, check=True, capture_output=True, text=True).stdout
    # Resolvers of ours are unknown there.
    lines = [line for line in text.splitlines() if "${" not in line]
    (folder / "conf").mkdir()
    (folder / "conf" / "config.yaml").write_text("\n".join(lines))
    return folder / "conf"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="one round, to see that it runs")
    arguments = parser.parse_args()
    rounds = 1 if arguments.quick else arguments.rounds
    train = [sys.executable, str(ROOT / "train.py")]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        template = [sys.executable, "-c", f"import sys\n{TEMPLATE}", str(composed(folder))]
        starts = {
            "import torch": [sys.executable, "-c", "import torch"],
            "template: imports and compose": template,
            "train.py --help": [*train, "--help"],
            "train.py --cfg job": [*train, "--cfg", "job"],
            "train.py, one step and its scores": [*train, *STEP],
        }
        times: dict[str, list[float]] = {start: [] for start in starts}
        for number in range(rounds + 1):
            for start, words in starts.items():
                taken = seconds(words, folder)
                if number or arguments.quick:  # the first round fills the machine's caches
                    times[start].append(taken)
    print(f"{'start':36}  {'seconds':>26}  {'/ import torch':>26}  {'/ template':>26}")
    torch, peer = times["import torch"], times["template: imports and compose"]
    for start, taken in times.items():
        ratios = [
            spread([t / other for t, other in zip(taken, others, strict=True)])
            for others in (torch, peer)
        ]
        print(f"{start:36}" + "".join(f"  {column:>26}" for column in (spread(taken), *ratios)))


if __name__ == "__main__":
    main()
