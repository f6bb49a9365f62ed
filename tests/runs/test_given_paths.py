"""Missing paths are found before heavy imports. Run folders can replace checkpoints."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
from tests.running import Command

from unet_exp.runs.given_paths import find_checkpoint, find_checkpoints

#: Say on the error stream whether torch was imported by a command that ended.
PROGRAM = """
import runpy, sys
from unittest.mock import patch
sys.argv = sys.argv[1:]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
finally:
    print("torch" in sys.modules, file=sys.stderr)
"""
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("train", "dataset=folder", "dataset.root=nowhere"), "dataset.root=nowhere is no folder"),
        (("train", "dataset=folder"), "dataset.root is not given"),
        (("train", "dataset=folder", "dataset.root=."), "holds neither images/ nor images.tif"),
        (("evaluate", "checkpoint=a.ckpt", "dataset=folder", "dataset.root=."), "holds neither im"),
        (("train", "ckpt_path=nowhere"), "No checkpoint at "),
        (("train", "dataset=hela", "data_dir=nowhere", "dataset.download=false"), "data_dir=now"),
        (("train", "-m", "dataset=folder", "dataset.root=nowhere", "seed=0,1"), "Job 0 (seed=0): "),
        (("train", "sweep.resume=nowhere"), "sweep.resume=nowhere holds no sweep"),
        (("evaluate", "run=nowhere"), "No run folder at nowhere"),
        (("evaluate", "checkpoint=nowhere"), "No checkpoint at "),
        (("evaluate", "checkpoint=a.ckpt", "dataset.root=nowhere"), "dataset.root=nowhere is no f"),
        (("predict", "checkpoint=[a.ckpt,no]", "input=a.ckpt", "output=out"), "No checkpoint at "),
        (("predict", "checkpoint=a.ckpt", "input=nowhere/*.tif", "output=out"), "No image at nowh"),
    ],
)
def test_a_missing_path_is_refused_before_torch_is_imported(
    tmp_path: Path, words: tuple[str, ...], expected: str
) -> None:
    (tmp_path / "a.ckpt").touch()
    command, *overrides = words
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(ROOT / f"{command}.py"), *overrides],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    message, torch = done.stderr.splitlines()
    assert message.startswith("Error: ")
    assert expected in message
    assert torch == "False"
    assert [path.name for path in tmp_path.iterdir()] == ["a.ckpt"]


def test_a_run_folder_stands_for_its_best_checkpoint(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "run" / "checkpoints"
    folder.mkdir(parents=True)
    (folder / "last.ckpt").touch()
    with caplog.at_level("INFO"):
        assert find_checkpoints(tmp_path / "run") == [folder / "last.ckpt"]
    assert "there is no best.ckpt" in caplog.text
    (folder / "best.ckpt").touch()
    for given in (tmp_path / "run", folder, folder / "best.ckpt"):
        assert find_checkpoint(given) == folder / "best.ckpt"
    several = [str(tmp_path / "run"), str(folder / "last.ckpt")]
    assert find_checkpoints(several) == [folder / "best.ckpt", folder / "last.ckpt"]


def test_the_error_for_a_sweep_folder_asks_for_a_job(sweep: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"is a sweep of 2 networks.*/0; .* run=") as error:
        find_checkpoint(sweep)
    assert "val/seg" in str(error.value)


def test_commands_take_a_run_folder(command: Command, trained: Path) -> None:
    tifffile.imwrite("a.tif", np.random.default_rng(0).random((32, 32), np.float32))
    words = ("input=a.tif", "output=out")
    assert command("predict", f"checkpoint=[{trained},{trained}]", *words).code == 0
    assert Path("out/a_instances.tif").exists()
    words = ("metric=[iou]", "pictures=0", "hydra.run.dir=scores")
    assert command("evaluate", f"checkpoint={trained}", *words).code == 0
