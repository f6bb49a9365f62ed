"""Scores of the defaults on several data sets, and with one setting changed at a time.

Every training has the defaults of `train.py` and 700 steps; no value is chosen for a data set. The
scores are those of the validation images, with the postprocessing that the training fitted to them
at its end, and without this fit. AP is the mean over IoU 0.5 to 0.95; the values in brackets are AP
at 0.5, 0.75 and 0.9. Errors are fractions of the true objects.

Trainings and scores are kept in `outputs/generalisation`. A finished row is not computed again, and
an interrupted training is resumed. If a default has changed, remove the folder. `--only TEXT ...`
chooses rows by a part of their names.
"""

import json
import os
import subprocess
import sys
from argparse import Namespace
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.measuring import Line
from unet_exp.records.run_folder import RunFolder

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "outputs" / "generalisation"
STEPS = ("trainer.max_steps=700",)
METRICS = "metric=[average_precision,object_f1,object_errors]"
NUCLEI = "nuclei_dsb2018"
#: Name, folder of the images, and overrides.
DATA = (
    ("synthetic", "", ()),
    ("nuclei", NUCLEI, ("dataset=folder", f"dataset.root={{data}}/{NUCLEI}")),
    *(
        (f"HeLa, fold {fold}", "DIC-C2DH-HeLa", ("dataset=hela", f"dataset.fold={fold}"))
        for fold in (0, 1)
    ),
    *(
        (
            f"Fluo-N2DL-HeLa, fold {fold}",
            "Fluo-N2DL-HeLa",
            ("dataset=cell_tracking", "dataset.name=Fluo-N2DL-HeLa", f"dataset.fold={fold}"),
        )
        for fold in (0, 1)
    ),
    ("ISBI EM", "isbi_em", ("dataset=isbi_em",)),
)
#: One change at a time. The first row has no change.
CHANGES = {
    "defaults": (),
    "classes balanced": ("weight_map.class_balance=true",),
    "no border weight": ("weight_map.w0=0",),
    "sigma 2": ("weight_map.sigma=2",),
    "percentiles": ("dataset.normalization=percentile",),
    "four small tiles": ("loader.batch_size=4", "loader.max_tile=176"),
    "three classes": ("target=three_class",),
    "distances": ("target=distance",),
    "bilinear": ("model.upsampling=bilinear",),
    "32 channels": ("model.base_channels=32",),
    "float32": ("trainer.precision=32",),
    "no augmentation": ("augmentation=none",),
    "1500 steps": ("trainer.max_steps=1500",),
    "5000 steps": ("trainer.max_steps=5000",),
}
QUICK = (
    "trainer.max_steps=4", "loader.steps_per_validation=2", "model.depth=2", "plan=none",
    "model.base_channels=4", "dataset.size=64", "loader.tile=48",
)  # fmt: skip


def lines(arguments: Namespace) -> Iterator[Line]:
    data = arguments.data.resolve()
    if arguments.quick:
        with TemporaryDirectory() as folder:
            yield line("synthetic", scores(Path(folder), QUICK, data))
        return
    for change, (name, folder, overrides) in product(CHANGES, DATA):
        row = f"{name}, {change}"
        chosen = not arguments.only or any(text in row for text in arguments.only)
        if not chosen or not (data / folder).exists():
            continue
        words = [*(word.format(data=data) for word in overrides), *STEPS, *CHANGES[change]]
        yield line(row, scores(FOLDER / row.replace(", ", "_").replace(" ", "-"), words, data))


def scores(folder: Path, overrides: Any, data: Path) -> dict[bool, dict[str, float]]:
    """Train, unless the run is finished; return the scores with the fitted values, and without."""
    run = RunFolder(folder)
    if run.state() != "finished":
        words = [*overrides, METRICS, f"hydra.run.dir={run.path}", "logger=csv"]
        # If a key has several values, the last counts.
        last = {word.split("=")[0]: word for word in words}
        call("train.py", [*last.values(), f"resume={str(run.last.exists()).lower()}"], data)
    return {fitted: evaluated(run, fitted, overrides, data) for fitted in (True, False)}


def evaluated(run: RunFolder, fitted: bool, overrides: Any, data: Path) -> dict[str, float]:
    folder = run.path / ("fitted" if fitted else "unfitted")
    if not (folder / "evaluation.json").exists():
        words = [word for word in overrides if word.startswith("dataset.root=")]
        words += [f"run={run.path}", METRICS, f"hydra.run.dir={folder}", "pictures=0"]
        call("evaluate.py", [*words, *([] if fitted else ["postprocessing.fit=false"])], data)
    content = json.loads((folder / "evaluation.json").read_text())
    found = dict(content["scores"])
    for details in content["details"].values():
        found |= details
    return found


def call(program: str, words: list[str], data: Path) -> None:
    environment = {**os.environ, "UNET_EXP_DATA": str(data)}
    command = [sys.executable, str(ROOT / program), *words]
    subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, check=True)


def line(row: str, found: dict[bool, dict[str, float]]) -> Line:
    ratio = found[True]["average_precision"] / max(found[False]["average_precision"], 1e-9)
    return Line(row, described(found[True]), f"unfitted: {described(found[False])}", [ratio])


def described(of: dict[str, float]) -> str:
    """Return scores, and errors by kind, as a line of text."""
    kinds = ("missed", "merged", "split", "outline", "false")
    true = max(1.0, of["found"] + sum(of[kind] for kind in kinds[:4]))
    errors = ", ".join(f"{kind} {of[kind] / true:.0%}" for kind in kinds)
    levels = " ".join(f"{of[f'ap_{level}']:.3f}" for level in (50, 75, 90))
    return (
        f"AP {of['average_precision']:.3f} ({levels}), SEG {of['seg']:.3f}, F1 "
        f"{of['object_f1']:.3f}, V_rand {of['v_rand']:.3f}; {errors}"
    )
