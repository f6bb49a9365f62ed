"""Each benchmark runs, small. How fast anything is, no test says."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.__main__ import PARTS

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("part", PARTS)
def test_it_runs(part: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", part, "--quick"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "UNET_EXP_CACHE": str(tmp_path)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"\n== {part}\n")
    assert done.stdout.count("\n") > 3
