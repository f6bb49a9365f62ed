"""Completion by Tab in bash, as docs/how-to/completion.md describes it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = r"""
eval "$(unet-train -sc install=bash)"
complete -p unet-train
complete_line() {
    COMP_LINE="$1" COMP_POINT=${#1} COMP_WORDS=($1)
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    hydra_bash_completion
    echo "${COMPREPLY[@]}"
}
complete_line 'unet-train model=unet'
complete_line 'python train.py loss=di'
"""


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_bash_completes_options_of_script_and_installed_command(tmp_path: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    (tmp_path / "train.py").symlink_to(ROOT / "train.py")
    done = subprocess.run(
        ["bash", "-c", SCRIPT], cwd=tmp_path, env={**os.environ, "PATH": path},
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    installed, *completed = done.stdout.splitlines()
    assert installed.endswith("-F hydra_bash_completion unet-train"), done.stderr
    assert completed == ["model=unet model=unet_small", "loss=dice"], done.stderr
