"""Fixtures of all tests. In tests, each call is checked for the shapes in its annotations."""

import importlib
import os
import sys
from pathlib import Path

import pytest
from hydra.core.global_hydra import GlobalHydra
from jaxtyping import install_import_hook

from tests.running import Command, Finished

# Small networks gain nothing from more, and tests that run side by side lose much.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["WANDB_MODE"] = "offline"
os.environ["WANDB_SILENT"] = "true"

pytest_plugins = [
    "tests.fixtures.browser",
    "tests.fixtures.drawn_sweep",
    "tests.fixtures.drawn_run",
    "tests.fixtures.image_files",
    "tests.fixtures.postgresql",
    "tests.fixtures.ray_cluster",
    "tests.fixtures.slurm_cluster",
    "tests.fixtures.trainings",
    "tests.fixtures.warm_jobs",
]

#: Where arrays and tensors are handled; above that, types are Lightning's and Hydra's.
LAYERS = (
    "geometry",
    "files",
    "pictures",
    "augmentations",
    "targets",
    "weight_maps",
    "models",
    "losses",
    "metrics",
    "postprocessing",
    "inference",
    "images",
    "datasets",
    "training.loaders",
)

install_import_hook([f"unet_exp.{layer}" for layer in LAYERS], "tests.running.checked")


@pytest.fixture
def command(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    warm_jobs: None,
) -> Command:
    """``command("train", "a=b", ...)``, started in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UNET_EXP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("UNET_EXP_DATA", raising=False)

    def run(name: str, *arguments: str) -> Finished:
        monkeypatch.setattr(sys, "argv", [f"{name}.py", *arguments])
        monkeypatch.setenv("HYDRA_FULL_ERROR", "")  # launch sets it; put back behind the test
        GlobalHydra.instance().clear()
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            importlib.import_module(f"unet_exp.commands.{name}").main()
        captured = capsys.readouterr()
        return Finished(int(end.value.code or 0), captured.out, captured.err)

    return run
