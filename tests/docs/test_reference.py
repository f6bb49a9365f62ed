"""The reference names every file that is written and every environment variable that is read."""

import re
from pathlib import Path

from tests.docs.pages import ROOT
from unet_exp.records.evaluation_folder import EvaluationFolder
from unet_exp.records.run_folder import RunFolder
from unet_exp.records.sweep_folder import SweepFolder

REFERENCE = ROOT / "docs" / "reference"


def test_the_files_of_runs_sweeps_and_evaluations() -> None:
    page = (REFERENCE / "files.md").read_text()
    names = RunFolder(Path("run")).entries() | SweepFolder(Path("sweep")).entries()
    names |= {"best.ckpt", "last.ckpt"}
    folder = EvaluationFolder(Path("evaluation"))
    names |= {path.name for path in vars(folder).values() if path != folder.path}
    assert {"report.html", "metrics.csv", "per_image.csv"} <= names
    assert not {name for name in names if name not in page}


def test_the_environment_variables() -> None:
    page = (REFERENCE / "environment.md").read_text()
    files = [*(ROOT / "src").rglob("*.py"), *(ROOT / "conf").rglob("*.yaml")]
    read = {name for file in files for name in re.findall(r"\bUNET_EXP_[A-Z_]+", file.read_text())}
    assert "UNET_EXP_DATA" in read
    assert read == set(re.findall(r"`(UNET_EXP_[A-Z_]+)`", page))
