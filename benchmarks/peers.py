"""Scores of this project and of other programs for nuclei after equal processor time.

The data set has 170 training images and 50 validation images of fluorescent nuclei, from the Data
Science Bowl 2018. StarDist, Cellpose 3, Mask R-CNN of torchvision, and MONAI's U-Net are trained
from random weights, as their own documentation describes (`benchmarks/peer_programs/`). Each gets
the processor time that this project's training took, on one thread. The score is AP on the
validation images: the mean over IoU 0.5 to 0.95, and in brackets at 0.5, 0.75 and 0.9.

This project and StarDist fit their thresholds to the validation images. MONAI's U-Net has no
postprocessing of its own, so this project's watershed is fitted to its probabilities.

`pip install unet-exp[peers]` installs the other programs. Programs that are missing are left out.
"""

import importlib.util
import os
import resource
import subprocess
import sys
from argparse import Namespace
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import tifffile
import torch

from benchmarks.measuring import Line
from unet_exp.inference.tuning import tune
from unet_exp.metrics.average_precision import AveragePrecision
from unet_exp.postprocessing.watershed import Watershed

ROOT = Path(__file__).parents[1]
NUCLEI = "nuclei_dsb2018"
STEPS = (100, 300, 700)
"""Steps of this project's trainings. The other programs get the processor time of each."""
PEERS = {
    "stardist": "stardist_from_scratch",
    "cellpose": "cellpose_from_scratch",
    "torchvision": "mask_rcnn",
    "monai": "monai_unet",
}
"""Module in `peer_programs` by the package that it needs."""
QUICK = ("model.depth=2", "model.base_channels=4", "plan=none", "loader.tile=48")


def lines(arguments: Namespace) -> Iterator[Line]:
    source = arguments.data.resolve() / NUCLEI
    if not source.exists() and not arguments.quick:
        raise SystemExit(f"There is no {source}. Give --data FOLDER.")
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if arguments.quick:
            source = made_up(folder / "made_up")
        for steps in (4,) if arguments.quick else STEPS:
            taken = ours(source, folder / f"ours_{steps}", steps, arguments.quick)
            mine = scores(folder / f"ours_{steps}" / "masks", source)
            for package, program in PEERS.items():
                chosen = not arguments.only or package in arguments.only
                if not chosen or importlib.util.find_spec(package) is None:
                    continue
                out = folder / f"{program}_{steps}"
                try:
                    call(["-m", f"benchmarks.peer_programs.{program}", source, out, taken])
                except subprocess.CalledProcessError:
                    print(f"{program} failed, see above.", file=sys.stderr)
                    continue
                theirs = scores(out, source)
                seconds = float((out / "seconds.txt").read_text())
                yield Line(
                    f"{steps} steps, {taken:.0f} s of one core",
                    described(mine),
                    f"{package} {version(package)}, {seconds:.0f} s: {described(theirs)}",
                    [mine.mean().item() / max(theirs.mean().item(), 1e-9)],
                )


def ours(source: Path, folder: Path, steps: int, quick: bool) -> float:
    """Train and predict with the defaults; return the processor time of the training in seconds."""
    words = ["dataset=folder", f"dataset.root={source}", f"trainer.max_steps={steps}"]
    words += [f"hydra.run.dir={folder}", "logger=none", "trainer=cpu", *(QUICK if quick else ())]
    taken = call([ROOT / "train.py", *words, f"loader.steps_per_validation={steps}"])
    images, out = source / "validation" / "images", folder / "masks"
    call([ROOT / "predict.py", f"checkpoint={folder}", f"input={images}", f"output={out}"])
    return taken


def call(words: list[object]) -> float:
    """Run a Python program on one thread; return its processor time in seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    single = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"), "1")
    subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=ROOT,
        env={**os.environ, **single, "CUDA_VISIBLE_DEVICES": ""},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def scores(masks: Path, source: Path) -> torch.Tensor:
    """Return the average precision of masks at each IoU; probabilities become objects first."""
    cases = []
    for path in sorted((source / "validation" / "labels").iterdir()):
        labels = torch.from_numpy(tifffile.imread(path).astype(np.int32))
        names = f"{path.stem}.tif", f"{path.stem}_instances.tif"
        (found,) = [masks / name for name in names if (masks / name).exists()]
        cases.append((torch.from_numpy(tifffile.imread(found)), labels))
    metric = AveragePrecision()
    if cases[0][0].is_floating_point():
        evidence = [(torch.stack([1 - found, found]), labels) for found, labels in cases]
        watershed = tune(Watershed(grow=1), evidence, metric).postprocessing
        cases = [(watershed(found), labels) for found, labels in evidence]
        metric.reset()
    for found, labels in cases:
        metric.update(found.to(torch.int32), labels)
    return metric.each()


def described(levels: torch.Tensor) -> str:
    """Return AP as a line of text; ``levels`` has the values at IoU 0.5, 0.55, .. 0.95."""
    at = " ".join(f"{levels[index]:.3f}" for index in (0, 5, 8))
    return f"AP {levels.mean():.3f} ({at})"


def made_up(folder: Path) -> Path:
    """Write three images of nine bright squares to train on, and three to validate on."""
    for part in (folder, folder / "validation"):
        for number in range(3):
            labels = np.zeros((256, 256), np.uint16)
            for index in range(9):
                top, left = 20 + 80 * (index // 3) + number, 20 + 80 * (index % 3)
                labels[top : top + 30, left : left + 30] = index + 1
            image = (labels > 0) * np.uint8(200) + np.uint8(9)
            for kind, array in (("images", image), ("labels", labels)):
                (part / kind).mkdir(parents=True, exist_ok=True)
                tifffile.imwrite(part / kind / f"{number}.tif", array)
    return folder
