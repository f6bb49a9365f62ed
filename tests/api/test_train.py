"""``train`` and ``evaluate`` of Python do what the commands do, and write the same record."""

import json
import logging
import shlex
from pathlib import Path
from typing import Any

import hydra
import numpy as np
import pytest
from hydra.core.hydra_config import HydraConfig
from tests.running import TINY, TINY_FILES, Command, own_images

import unet_exp
from unet_exp.configuration.groups import CONF

QUICK = (*TINY_FILES, "pictures.images=0", "postprocessing.fit=false")


@pytest.fixture
def arrays() -> tuple[np.ndarray, np.ndarray]:
    """Six images with two channels, (h, w, c), and their labels."""
    labels = np.zeros((6, 64, 72), np.int32)
    labels[:, 9:40, 9:50] = 1
    noise = np.random.default_rng(0).integers(0, 99, (6, 64, 72, 2))
    return (noise + 900 * labels[..., None]).astype(np.uint16), labels


def test_a_run_is_that_of_its_command(
    command: Command, arrays: tuple[np.ndarray, np.ndarray], capsys: pytest.CaptureFixture[str]
) -> None:
    handlers, outer = logging.getLogger("unet_exp").handlers[:], HydraConfig.instance().cfg
    run = unet_exp.train(*arrays, *QUICK, max_steps=2, seed=3, name="two squares")
    assert "best checkpoint" in capsys.readouterr().out
    assert run.folder.parent.name == "two_squares"
    assert run.checkpoint == run.folder / "checkpoints" / "best.ckpt"
    assert "data set" in (run.folder / "train.log").read_text()
    assert logging.getLogger("unet_exp").handlers == handlers
    assert HydraConfig.instance().cfg is outer
    assert run.summary["state"] == "finished"
    words = shlex.split(run.summary["command"])
    assert words[:3] == ["python", "train.py", "dataset=folder"]
    assert command("train", *words[2:], "hydra.run.dir=again").code == 0
    again = json.loads(Path("again/summary.json").read_text())["scores"]
    losses = ("train/loss", "val/loss")
    assert [again[name] for name in losses] == [run.summary["scores"][name] for name in losses]


def test_scores_are_those_of_the_command(
    command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own_images(tmp_path / "own")
    run = unet_exp.train(tmp_path / "own", *QUICK, max_steps=2, progress=False)
    scores = unet_exp.evaluate(run, metric="average_precision", device="cpu", progress=False)
    assert capsys.readouterr().out == ""
    words = (f"run={run.folder}", "dataset.root=own", "accelerator=cpu")
    assert command("evaluate", *words, "hydra.run.dir=scores").code == 0
    expected = json.loads(Path("scores/evaluation.json").read_text())["scores"]
    assert set(scores) == {*expected, "average_precision"}
    assert {name: scores[name] for name in expected} == pytest.approx(expected, nan_ok=True)
    same = unet_exp.evaluate(
        [run.checkpoint],
        "dataset.root=own",
        device="cpu",
        progress=False,  # type: ignore[list-item]
    )
    assert same == pytest.approx(expected, nan_ok=True)


def test_a_refused_training_leaves_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    outer = HydraConfig.instance().cfg
    with pytest.raises(ValueError, match=r"Did you mean model\.depth"):
        unet_exp.train(*TINY, "model.dpth=5")
    with pytest.raises(ValueError, match="trains nothing"):
        unet_exp.train(*TINY, max_steps=0)
    with pytest.raises(FileNotFoundError, match="no folder"):
        unet_exp.train("nowhere", *TINY_FILES)
    with pytest.raises(FileNotFoundError, match="No run folder at"):
        unet_exp.evaluate("nowhere")
    assert not list(tmp_path.iterdir())
    assert HydraConfig.instance().cfg is outer


@pytest.mark.parametrize(
    ("images", "labels", "told"),
    [
        (np.ones((3, 9, 9)), np.ones((2, 9, 9)), "3 images and 2 label arrays"),
        (np.ones((2, 9, 9)), np.ones((2, 9, 8)), r"shape \(9, 9\), and its labels have \(9, 8\)"),
        (np.ones((0, 9)), np.ones((0, 9)), r"shape \(0, 9\)"),
        ([np.ones((9, 9))], None, "images and labels, or one folder.*got list, NoneType"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(images: object, labels: object, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        unet_exp.train(images, labels)


def test_the_home_folder_is_found() -> None:
    for function in (unet_exp.train, unet_exp.load, unet_exp.evaluate):
        with pytest.raises(FileNotFoundError, match=f"{Path.home()}/no_such_folder"):
            function("~/no_such_folder")


def test_hydra_of_the_caller_stays(trained: Path) -> None:
    with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
        unet_exp.load(trained, device="cpu")
        assert hydra.compose("predict").tta == "none"


@pytest.mark.parametrize(
    ("function", "word", "told"),
    [
        (
            unet_exp.train,
            "max_step",
            r"has no argument max_step\. Did you mean max_steps",
        ),
        (unet_exp.load, "devise", r"load\(\) has no argument devise\. Did you mean device"),
        (unet_exp.evaluate, "threshold", r'argument threshold\. .*evaluate\(\.\.\., "threshold=V'),
    ],
)
def test_the_error_of_an_unknown_argument_suggests_a_similar_one(
    function: Any, word: str, told: str
) -> None:
    with pytest.raises(TypeError, match=told):
        function("a", **{word: 3})
