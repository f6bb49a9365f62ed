"""The wheel is complete: its commands run from an empty folder, without the checkout."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.running import TINY

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel and unpack it, with its scripts, into a folder of its own."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", str(folder), str(ROOT)]
    subprocess.run(build, check=True)
    (wheel,) = folder.glob("*.whl")
    target = folder / "site"
    subprocess.run([*pip, "install", "--no-deps", "--target", str(target), str(wheel)], check=True)
    return target


def test_the_wheel_holds_the_whole_configuration(installed: Path) -> None:
    (wheel,) = installed.parent.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    here = {
        f"unet_exp/conf/{p.relative_to(ROOT / 'conf')}" for p in (ROOT / "conf").rglob("*.yaml")
    }
    assert here <= names
    assert "unet_exp/py.typed" in names
    reports = ROOT / "src/unet_exp/reports"
    page = {f"unet_exp/{p.relative_to(reports.parent)}" for p in reports.rglob("*.[chjt]*")}
    assert "unet_exp/reports/vendor/plot.min.js" in page
    assert page <= names
    assert not {n for n in names if n.startswith(("tests/", "conf/"))}


def test_its_commands_run_from_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    def run(name: str, *arguments: str) -> str:
        environment = {**os.environ, "PYTHONPATH": str(installed)}
        words = [str(installed / "bin" / name), *arguments]
        done = subprocess.run(
            words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("unet-train", *TINY, "hydra.run.dir=run")
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["state"] == "finished"
    assert "all" in run("unet-evaluate", "run=run", "accelerator=cpu")
    assert "checkpoint" in run("unet-predict", "--help")
