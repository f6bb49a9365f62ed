"""Train what overrides name as the command does, but without a record.

``python tests/training/fitting.py FOLDER OVERRIDE...``, also under torchrun.
"""

import csv
import hashlib
import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from lightning import seed_everything
from lightning.pytorch import Callback, Trainer
from torch.distributed.tensor import DTensor

from unet_exp.configuration import schema
from unet_exp.configuration.objects import build, to_plain_data
from unet_exp.records.run_folder import RunFolder
from unet_exp.runs.planned import settle_plan
from unet_exp.training.assembly import build_dataset, build_loaders, build_parts
from unet_exp.training.datamodule import DataModule
from unet_exp.training.ema import WeightEMA
from unet_exp.training.gallery import Gallery
from unet_exp.training.metrics_writer import MetricsWriter
from unet_exp.training.module import SegmentationModule
from unet_exp.training.ranks import leave
from unet_exp.training.saving import checkpoints
from unet_exp.training.stopping import Stopping
from unet_exp.training.trainer import build_trainer

FIXED = ("logger=none", "name=test", "monitor.metric=loss", "monitor.mode=min")
ROOT = Path(__file__).parents[2]


def fit(
    folder: Path, overrides: Sequence[str], *others: Callback, resume: bool = True
) -> tuple[Trainer, Stopping]:
    """Train in ``folder``; go on from its last checkpoint if there is one."""
    schema.register()
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        cfg = compose("train", [*overrides, *FIXED], return_hydra_config=True)
    del cfg.hydra
    seed_everything(cfg.seed, verbose=False)
    dataset = build_dataset(cfg)
    settle_plan(cfg, dataset)
    network = build(cfg.model)
    monitor = "val/loss"
    module = SegmentationModule(
        network,
        **build_parts(cfg),
        optimizer=build(cfg.optimizer),
        scheduler=build(cfg.scheduler),
        monitor=monitor,
        config=to_plain_data(cfg),
        seed=cfg.seed,
    )
    metrics = MetricsWriter(RunFolder(folder))
    with Stopping(folder) as stopping:
        callbacks = [
            *([WeightEMA(cfg.ema_decay)] if cfg.ema_decay else []),
            metrics,
            *checkpoints(RunFolder(folder), monitor, "min"),
            *(
                [Gallery(folder / "pictures", metrics, **cfg.pictures)]
                if cfg.pictures.images
                else []
            ),
            stopping,
            *others,
        ]
        trainer = build_trainer(folder, callbacks, [], build(cfg.trainer))
        last = folder / "checkpoints" / "last.ckpt"
        start = last if resume and last.exists() else None
        data = DataModule(build_loaders(cfg, dataset, network))
        trainer.fit(module, data, ckpt_path=start, weights_only=True)
    return trainer, stopping


def weights(folder: Path, name: str = "last") -> dict[str, torch.Tensor]:
    content = torch.load(folder / "checkpoints" / f"{name}.ckpt", weights_only=True)
    return content["state_dict"] | content.get("current_model_state", {})


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def rows(folder: Path) -> list[dict[str, Any]]:
    """The rows of metrics.csv, without the time."""
    read = csv.DictReader((folder / "metrics.csv").read_text().splitlines())
    return [{k: v for k, v in row.items() if k != "seconds"} for row in read]


def start(
    processes: int, folder: Path, overrides: Sequence[str], **environment: str
) -> "subprocess.Popen[str]":
    """Start this file in a process of its own, or in several by torchrun."""
    words = [sys.executable]
    if processes > 1:
        words += ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    return subprocess.Popen(
        [*words, __file__, str(folder), *overrides],
        env={
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}",
            **environment,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def run(processes: int, folder: Path, overrides: Sequence[str], **environment: str) -> str:
    """Run this file to its end and return what it said."""
    with start(processes, folder, overrides, **environment) as process:
        said, _ = process.communicate(timeout=300)
    assert process.returncode == 0, said
    return said


class At(Callback):
    """Call a function at the end of a batch."""

    def __init__(self, batch: int, act: Callable[[], Any]) -> None:
        self.batch, self.act, self.seen = batch, act, 0

    def on_train_batch_end(self, *_: Any, **__: Any) -> None:
        self.seen += 1
        if self.seen == self.batch:
            self.act()


def asked(words: str) -> Callback:
    """``SIGUSR1@1:3``: the process of rank 1 gets this signal at its third batch."""
    name, _, place = words.partition("@")
    rank, batch = map(int, place.split(":"))
    mine = int(os.environ.get("RANK", 0)) == rank
    number = getattr(signal, name)
    return At(batch if mine else -1, lambda: os.kill(os.getpid(), number))


def digest(module: torch.nn.Module) -> str:
    """Return a hash of the weights and buffers."""
    state = module.state_dict().values()
    whole = [t.full_tensor() if isinstance(t, DTensor) else t for t in state]
    values = [tensor.float().flatten() for tensor in whole]
    return hashlib.sha256(torch.cat(values).numpy().tobytes()).hexdigest()[:16]


if __name__ == "__main__":
    warnings.simplefilter("error")
    words = os.environ.get("ASK")
    fitted, end = fit(Path(sys.argv[1]), sys.argv[2:], *([asked(words)] if words else []))
    told = f"reason={end.reason} step={fitted.global_step}"
    # In one piece: another process may be writing, too.
    sys.stdout.write(f"{told} network={digest(fitted.lightning_module.network)}\n")
    leave()
