"""Exit codes and messages that all commands share."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from tests.running import TINY, Command


def test_debug_shows_the_stack_trace_also_of_a_wrong_override(command: Command) -> None:
    for wrong in ("model.dpth=5", "trainer.max_steps=0"):
        shown, hidden = (
            command("train", *TINY, wrong, f"debug={debug}", f"hydra.run.dir={debug}/{wrong[:5]}")
            for debug in ("true", "false")
        )
        assert "Traceback" in shown.err
        assert shown.err.endswith(hidden.err)
        assert hidden.err.startswith("Error: ")


def test_the_log_of_a_run_keeps_the_stack_trace(command: Command) -> None:
    growing = ("scheduler=poly", "scheduler.power=-60", "optimizer=sgd", "optimizer.lr=1e-3")
    words = (*growing, "model.norm=none", "trainer.max_steps=12")
    assert command("train", *TINY, *words, "hydra.run.dir=run").code == 1
    assert "Traceback" in Path("run/train.log").read_text()


@pytest.mark.parametrize("command_name", ["evaluate", "predict"])
def test_help_names_examples(command: Command, command_name: str) -> None:
    done = command(command_name, "--help")
    assert done.code == 0
    assert f"python {command_name}.py " in done.out


@pytest.mark.parametrize("asked", ["--cfg job", "--cfg all", "--cfg hydra"])
def test_a_configuration_is_shown_without_secrets_though_yaml_folds_them(
    command: Command, asked: str
) -> None:
    secret = "correct horse " + "battery staple " * 8 + "tail"
    done = command("train", *asked.split(), f"+dataset.password='{secret}'", "seed=5")
    assert done.code == 0, done.err
    assert "***" in done.out
    assert not [word for word in secret.split() if word in done.out + done.err]


def test_a_value_of_a_file_is_shown_alone_without_its_secret(
    command: Command, tmp_path: Path
) -> None:
    path = tmp_path / "conf" / "experiment" / "mine.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("# @package _global_\nname: a\ntrainer:\n  options:\n    api_key: Xq7-alone\n")
    words = (f"hydra.searchpath=[file://{tmp_path}/conf]", "experiment=mine")
    done = command("train", *words, "--cfg", "job", "--package", "trainer.options.api_key")
    assert (done.code, done.out, done.err) == (0, "***\n", "")
    assert command("train", *words, "--cfg", "job", "--package", "name").out == "a\n"


def test_ctrl_c_ends_the_training_in_order(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    script = Path(__file__).parents[2] / "train.py"
    words = [*TINY, "trainer.max_steps=10000", f"hydra.run.dir={folder}"]
    environment = {**os.environ, "UNET_EXP_CACHE": str(tmp_path), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [sys.executable, str(script), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        # Where the tests run in the background, Ctrl-C is ignored, and so it would be here.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:
        deadline = time.monotonic() + 120
        while not (folder / "checkpoints" / "last.ckpt").exists() and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    saving, _, told = told.strip().partition("\n\n")
    assert saving == "Saving after the next step; Ctrl-C again ends at once."
    assert told == (
        f"Interrupted. To go on, add resume=true hydra.run.dir={folder} to the same command."
    )
    assert json.loads((folder / "summary.json").read_text())["state"] == "interrupted"
    assert torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)["global_step"] > 0
    assert not list((folder / "checkpoints").glob(".*"))
