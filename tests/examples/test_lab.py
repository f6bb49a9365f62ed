"""The example of a laboratory's own repository, which uses the installed commands."""

import json
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
from tests.docs.pages import ROOT, blocks
from tests.running import Command

LAB = ROOT / "examples" / "lab"
QUICK = (
    "experiment=discs", "trainer=cpu", "trainer.max_steps=2", "loader.steps_per_validation=2",
    "dataset.count=2", "model.width=4", "postprocessing=components", "postprocessing.fit=false",
    "pictures.images=0", "logger=none",
)  # fmt: skip
TRUST = (
    "trust=[our_lab.networks.TwoScales,our_lab.losses.Focal,our_lab.data.Discs,"
    "our_lab.scores.CountError]"
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository, with a run that the installed command has trained."""
    folder = tmp_path_factory.mktemp("lab") / "lab"
    shutil.copytree(LAB, folder, ignore=shutil.ignore_patterns("__pycache__", "outputs"))
    program = str(Path(sys.executable).with_name("unet-train"))
    words = [program, "--config-dir", "conf", *QUICK, "hydra.run.dir=run"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def here(command: Command, lab: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Command]:
    """Runs a command in the lab's folder, and forgets its modules again."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.chdir(lab)
    yield command
    for name in [name for name in sys.modules if name.partition(".")[0] == "our_lab"]:
        del sys.modules[name]


def test_all_parts_of_the_lab_train_together(lab: Path) -> None:
    summary = json.loads((lab / "run" / "summary.json").read_text())
    assert summary["state"] == "finished"
    header = (lab / "run" / "metrics.csv").read_text().splitlines()[0]
    assert "val/count_error" in header
    config = (lab / "run" / "config.yaml").read_text()
    for part in ("networks.TwoScales", "losses.Focal", "data.Discs", "scores.CountError"):
        assert f"_target_: our_lab.{part}" in config
    assert "gamma: 2.0" in config  # from the signature
    assert "width: 4" in config


def test_the_signature_of_an_outside_class_is_its_schema(here: Command) -> None:
    for word, told in (
        ("loss.gamma=two", "loss.gamma=two is not a number, which Focal needs there"),
        ("loss.gama=1", "Focal has no such parameter. Did you mean loss.gamma=1?"),
        ("model.width=4.5", "model.width=4.5 is not a whole number, which TwoScales needs"),
    ):
        done = here("train", "--config-dir=conf", *QUICK, word, "hydra.run.dir=refused")
        assert done.code == 1
        assert told in done.err
        assert not Path("refused").exists()
    shown = here("train", "--config-dir", "conf", *QUICK, "--cfg", "job")
    assert shown.code == 0, shown.err
    assert "_target_: our_lab.networks.TwoScales" in shown.out


def test_a_checkpoint_builds_trusted_classes(here: Command) -> None:
    words = ("run=run", "pictures=0", "accelerator=cpu", "hydra.run.dir=scores")
    refused = here("evaluate", *words)
    assert refused.code == 1
    assert "add trust=[our_lab." in refused.err
    scored = here("evaluate", *words, TRUST)
    assert scored.code == 0, scored.err
    assert "count_error" in scored.out


def test_the_commands_of_the_documentation_work(here: Command) -> None:
    commands = [
        words
        for block in blocks(ROOT / "docs" / "how-to" / "lab.md", "sh")
        for words in map(shlex.split, block.replace("\\\n", " ").splitlines())
    ]
    assert [words[0] for words in commands] == ["unet-train"] * 3 + ["unet-predict"]
    for name, *words in commands[:3]:
        sweep = "-m" in words
        shown = [word.replace("0,1,2", "1") for word in words if word != "-m"]
        done = here(name.removeprefix("unet-"), *shown, "--cfg", "job")
        assert done.code == 0, done.err
        assert ("gamma: 1" in done.out) == sweep
        assert "_target_: our_lab.networks.TwoScales" in done.out
    Path("images").mkdir()
    tifffile.imwrite("images/a.tif", np.eye(64, dtype=np.uint8))
    words = [word.replace("outputs/runs/discs/STAMP", "run") for word in commands[3][1:]]
    done = here("predict", *words, "accelerator=cpu")
    assert done.code == 0, done.err
    assert Path("segmented/a_instances.tif").is_file()


def test_the_error_of_an_incomplete_class_names_what_is_missing(here: Command) -> None:
    Path("our_lab/half.py").write_text(
        "from torch import nn\n\n\nclass Half(nn.Conv2d):\n"
        "    def __init__(self, in_channels: int = 1, out_channels: int = 2) -> None:\n"
        "        super().__init__(in_channels, out_channels, 3)\n"
    )
    Path("conf/model/half.yaml").write_text(
        "defaults: [/schema/model/half@_here_]\n_target_: our_lab.half.Half\n"
    )
    done = here("train", "--config-dir=conf", *QUICK[:5], "model=half", "hydra.run.dir=refused")
    assert done.code == 1
    assert "model: our_lab.half.Half lacks step, halo, output_size, fitting_sizes." in done.err
    assert not Path("refused").exists()


@pytest.mark.parametrize(
    ("name", "target", "told"),
    [
        ("unet", "our_lab.networks.TwoScales", "has the name of an option of unet_exp"),
        ("lost", "their_lab.networks.Net", "_target_=their_lab.networks.Net cannot be imported"),
    ],
)
def test_an_option_that_cannot_be_taken_is_refused(
    here: Command, tmp_path: Path, name: str, target: str, told: str
) -> None:
    (tmp_path / "own" / "model").mkdir(parents=True)
    (tmp_path / "own" / "model" / f"{name}.yaml").write_text(f"_target_: {target}\n")
    done = here("train", f"--config-dir={tmp_path}/own", f"model={name}")
    assert done.code == 1
    assert told in done.err
