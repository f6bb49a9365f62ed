"""Scores on HeLa and ISBI EM after ten minutes of training on one core.

The comparison is the recipe of MONAI's tutorial for 2D images
(2d_segmentation/torch/unet_training_dict.py), with BasicUNet instead of UNet: Dice loss, Adam with
a learning rate of 0.001, four crops of 96 x 96 pixels from each of two images, quarter turns, and
sliding windows. Both sides use this project's split, target, postprocessing and scores, and the
best of ten validations counts. So the settings of the watershed were chosen for this project. SEG
mostly depends on cells that are merged by mistake, because they count as missed.

Both train at the same time, on one thread each, without loading processes, and in bfloat16 if the
processor supports it. This project's time includes the start of the process; MONAI's starts with
the first step.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.composing import composed
from benchmarks.measuring import Line, Mark
from unet_exp.records.run_folder import RunFolder

ROOT = Path(__file__).parents[1]
MINUTES = 10.0
VALIDATIONS = 10
#: Name, overrides, and the score that counts.
DATA = (("HeLa", "experiment=hela_cpu", "seg"), ("ISBI EM", "experiment=isbi_em_cpu", "v_rand"))
ONE_CORE = ("trainer=cpu", "loader.num_workers=0")
QUICK = ("model.depth=2", "model.base_channels=4", "dataset.size=64", "loader.tile=48")


def lines(arguments: Namespace) -> Iterator[Line]:
    data = arguments.data.resolve()
    found = [entry for entry in DATA if (data / folder(entry[0])).exists()]
    if arguments.quick:
        yield from compare("synthetic", QUICK, "seg", data, 0.2)
        return
    if not found:
        raise SystemExit(f"There are no real images in {data}. Give --data FOLDER.")
    for name, experiment, score in found:
        yield from compare(name, (experiment,), score, data, MINUTES)


def folder(name: str) -> str:
    return {"HeLa": "DIC-C2DH-HeLa", "ISBI EM": "isbi_em"}[name]


def compare(
    name: str, overrides: tuple[str, ...], score: str, data: Path, minutes: float
) -> Iterator[Line]:
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "UNET_EXP_DATA": str(data)}
        environment["UNET_EXP_CACHE"] = str(place / "cache")
        steps = fitting_steps(overrides, minutes, place, environment)
        words = (
            *overrides,
            f"loader.steps_per_validation={max(1, steps // VALIDATIONS)}",
            f"trainer.max_steps={steps}",
            f"trainer.max_time={duration(60 * minutes)}",
            f"hydra.run.dir={place / 'ours'}",
        )
        peer = [sys.executable, "-m", "benchmarks.accuracy", str(place / "peer.json"), str(minutes)]
        both = [
            subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
            for command in (train(words), [*peer, *overrides])
        ]
        ends = [process.wait() for process in both]
        if any(ends):
            raise RuntimeError(f"A training on {name} failed; see above.")
        summary = RunFolder(place / "ours").read_summary()
        theirs = json.loads((place / "peer.json").read_text())
    mine = summary["scores"][f"val/{score}"]
    best = max(row[score] for row in theirs["rows"])
    case = f"{name}, {score.replace('seg', 'SEG').replace('v_rand', 'V_rand')}"
    told = f"{mine:.4f} ({summary['steps']} steps)"
    yield Line(
        case,
        told,
        f"ours / MONAI: {best:.4f} ({theirs['steps']} steps)",
        [mine / best if best else float("inf")],
        Mark(at_least=1),
    )


def train(words: tuple[str, ...]) -> list[str]:
    fixed = (*ONE_CORE, "logger=csv", "pictures.images=0")
    return [sys.executable, str(ROOT / "train.py"), *words, *fixed]


def duration(seconds: float) -> str:
    return time.strftime("00:%H:%M:%S", time.gmtime(seconds))


def fitting_steps(
    overrides: tuple[str, ...], minutes: float, place: Path, environment: dict[str, str]
) -> int:
    """Number of steps that fit into the time, estimated with a short training.

    The learning-rate schedule needs this number. A part of the time is kept for the validations,
    and because each step is a little slower while the other training runs.
    """
    trial, every = place / "trial", 30 if minutes > 1 else 2
    words = (
        *overrides,
        f"loader.steps_per_validation={every}",
        f"trainer.max_steps={2 * every}",
        "trainer.limit_val_batches=1",
        f"hydra.run.dir={trial}",
    )
    start = time.perf_counter()
    subprocess.run(train(words), cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
    whole = time.perf_counter() - start
    first, second = (row["seconds"] for row in RunFolder(trial).read_metrics())
    step = max(second - first, 0.1) / every
    return max(VALIDATIONS, int(0.85 * (60 * minutes - (whole - second)) / step))


def recipe(path: Path, minutes: float, overrides: list[str]) -> None:
    """Train MONAI's network for ``minutes``, and write its scores to ``path`` (JSON)."""
    import torch
    from monai.data import CacheDataset, DataLoader, list_data_collate
    from monai.inferers import sliding_window_inference
    from monai.losses import DiceLoss
    from monai.networks.nets import BasicUNet
    from monai.transforms import (
        Compose,
        RandCropByPosNegLabeld,
        RandRotate90d,
        ScaleIntensityd,
        ToTensord,
    )
    from monai.utils import set_determinism

    from unet_exp.records.run_folder import RunFolder
    from unet_exp.runs.preparation import prepare
    from unet_exp.training.assembly import build_dataset
    from unet_exp.training.trainer import best_precision

    cfg = composed(Path(os.environ["UNET_EXP_DATA"]), *overrides, *ONE_CORE)
    set_determinism(0)
    training = prepare(cfg, build_dataset(cfg), RunFolder(path.parent))
    keys = ["image", "label"]
    images = [
        {"image": image.sample.image, "label": (image.target[None] > 0).astype("float32")}
        for image in training.loaders.supervised("train")
    ]
    side = 32 if minutes < 1 else 96
    transforms = Compose(
        [
            ScaleIntensityd("image"),
            RandCropByPosNegLabeld(
                keys, label_key="label", spatial_size=(side, side), pos=1, neg=1, num_samples=4
            ),
            RandRotate90d(keys, prob=0.5, spatial_axes=(0, 1)),
            ToTensord(keys),
        ]
    )
    data = CacheDataset(images, transforms, progress=False)
    loader = DataLoader(data, batch_size=2, shuffle=True, collate_fn=list_data_collate)
    network = BasicUNet(spatial_dims=2, in_channels=images[0]["image"].shape[0], out_channels=1)
    loss, scale = DiceLoss(sigmoid=True), ScaleIntensityd("image")
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)
    half = best_precision("cpu") != "32-true"

    class SlidingWindows:
        """MONAI's sliding windows instead of the overlap-tile strategy."""

        scale = 1.0

        def __call__(self, network: torch.nn.Module, view: Any, region: Any) -> torch.Tensor:
            window = torch.from_numpy(view.window(*region).copy())
            image: Any = scale({"image": window})["image"][None]
            found = sliding_window_inference(image, (side, side), 4, network)[0]
            return torch.cat([torch.zeros_like(found), found])

        def regions(self, network: Any, height: int, width: int, turned: bool) -> list[Any]:
            return [((0, height), (0, width))]

    module: Any = training.module
    module.inference = SlidingWindows()
    rows: list[dict[str, float]] = []

    @torch.inference_mode()
    def validate() -> None:
        network.eval()
        module.network = network
        module.metrics.reset()
        for batch in training.loaders.whole("validation"):
            with torch.autocast("cpu", torch.bfloat16, enabled=half):
                module.score(batch)
        rows.append({name: float(value) for name, value in module.metrics.compute().items()})
        network.train()

    steps, start, end = 0, time.perf_counter(), 60 * minutes
    while len(rows) < VALIDATIONS:
        for batch in loader:
            with torch.autocast("cpu", torch.bfloat16, enabled=half):
                logits = network(batch["image"])
            value = loss(logits.float(), batch["label"])
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            steps += 1
            if time.perf_counter() - start >= end * (len(rows) + 1) / VALIDATIONS:
                validate()
                if len(rows) == VALIDATIONS:
                    break
    path.write_text(json.dumps({"steps": steps, "rows": rows}))


if __name__ == "__main__":
    recipe(Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3:])
