"""Each wrong input ends with one clear message, and leaves no half-written file."""

import errno
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import torch

from tests.running import TINY, TINY_FILES, Command, Finished

ROOT = Path(__file__).parents[2]


def message(done: Finished) -> str:
    """The message of a failed command, which is all that it says on the error stream."""
    assert done.code == 1
    assert "Traceback" not in done.out
    assert done.err.startswith("Error: ")
    assert done.err.count("\n") == 1
    litter = [
        p for p in Path.cwd().rglob("*") if p.suffix == ".part" or p.name.endswith(str(os.getpid()))
    ]
    assert not litter
    return done.err.removeprefix("Error: ").strip()


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (
            ["model.dpth=5"],
            "There is no model.dpth: UNet has no such parameter. Did you mean model.depth=5?",
        ),
        (
            ["+model.dpth=5"],
            "There is no model.dpth: UNet has no such parameter. Did you mean model.depth=5?",
        ),
        (["depth=5"], "There is no depth. Did you mean model.depth=5?"),
        (
            ["scheduler=constant", "scheduler.zzz=1"],
            "There is no scheduler.zzz: ConstantLR has no such parameter. It has factor, "
            "total_iters, last_epoch.",
        ),
        (
            ["callbacks.x=1"],
            "There is no callbacks.x. To add it, put a plus before: +callbacks.x=1.",
        ),
        (["zzz=1"], "There is no zzz. See what there is with --cfg job."),
        (["modle.depth=5"], "There is no modle.depth. Did you mean model.depth=5?"),
        (["datset=hela"], "There is no datset. Did you mean dataset=hela?"),
        (
            ["loss=weighted_sum", "loss.weights.dise=1"],
            "There is no loss.weights.dise. Did you mean loss.weights.dice=1?",
        ),
        (
            ["loss.terms.dice=1"],
            "There is no loss.terms: WeightedCrossEntropy has no such parameter. It belongs to "
            "loss=weighted_sum.",
        ),
        (
            ["hydra.run.dri=x"],
            "There is no hydra.run.dri: RunDir has no such parameter. Did you mean "
            "hydra.run.dir=x?",
        ),
    ],
)
def test_a_misspelt_override_gets_a_suggestion(
    command: Command, overrides: list[str], expected: str
) -> None:
    assert message(command("train", *TINY, *overrides)) == expected


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("model.depth=five", "model.depth=five is not a whole number, which UNet needs there."),
        (
            "model.base_channels=null",
            "model.base_channels=null is not a whole number, which UNet needs there.",
        ),
        ("optimizer.lr=fast", "optimizer.lr=fast is not a number, which AdamW needs there."),
        ("model.norm=[batch]", "model.norm=[batch] is not text, which UNet needs there."),
        (
            "trainer.limit_val_batches=all",
            "trainer.limit_val_batches=all is not a whole number or a number, which "
            "TrainerSettings needs there.",
        ),
        ("seed=abc", "seed=abc is not a whole number, as conf/train.yaml has there."),
        ("resume=maybe", "resume=maybe is not true or false, as conf/train.yaml has there."),
        ("tags=mine", "tags=mine is not a list, such as [1,2], as conf/train.yaml has there."),
        (
            "pictures.every=x",
            "pictures.every=x is not a whole number, as conf/train.yaml has there.",
        ),
        (
            "model.depth=3,4",
            "model.depth=3,4 names several values. Add -m to run each, or write a list as [a,b].",
        ),
        (
            "logger=null",
            "A group takes the name of an option, and not null or a number. Some groups have the "
            "option none: logger=none, augmentation=none. See the options with --help.",
        ),
        (
            "nonsense",
            "'nonsense' cannot be read. Write key=value, for example model.depth=5, with brackets "
            "closed and special characters in quotes.",
        ),
    ],
)
def test_a_value_of_another_type_is_refused(command: Command, override: str, expected: str) -> None:
    assert message(command("train", *TINY, override)) == expected


@pytest.mark.parametrize(
    ("override", "start", "options"),
    [
        ("dataset=cats", "There is no dataset=cats. Options of dataset: ", ["hela", "folder"]),
        ("dataset=hella", "There is no dataset=hella. Did you mean dataset=hela? ", ["u373"]),
        ("metric=[seg,iuo]", "There is no metric=iuo. Did you mean metric=iou? ", ["v_rand"]),
        ("hydra/launcher=slrum", "There is no hydra/launcher=slrum. ", ["basic"]),
    ],
)
def test_an_unknown_option_gets_the_list_of_options(
    command: Command, override: str, start: str, options: list[str]
) -> None:
    # A data set's own values would be refused first.
    told = message(command("train", *TINY_FILES, override))
    assert told.startswith(start)
    assert "search path" not in told
    for option in options:
        assert option in told


def test_a_sweep_with_an_unknown_option_starts_no_job(command: Command) -> None:
    told = message(command("train", "-m", *TINY_FILES, "dataset=synthetic,cats"))
    assert "no dataset=cats" in told
    assert not list(Path.cwd().rglob("summary.json"))


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["model.depth=5", "loader.tile=32"], ["loader.tile=32", "Take 64 or more"]),
        (["model.depth=12"], ["model.depth=12 is out of range", "1 to 7"]),
        (["loader.tile=50", "model.padding=valid"], ["loader.tile=50", "48 or 52"]),
    ],
)
def test_a_network_too_deep_for_its_tile(
    command: Command, overrides: list[str], words: list[str]
) -> None:
    told = message(command("train", *TINY, *overrides))
    for word in words:
        assert word in told


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Four images of 64 x 72 pixels with labels."""
    for number in range(4):
        labels = np.zeros((64, 72), np.uint8)
        labels[10 + number : 40, 9:50] = 255
        for kind, array in (
            ("images", labels // 2 + np.arange(72, dtype=np.uint8)),
            ("labels", labels),
        ):
            (tmp_path / "own" / kind).mkdir(parents=True, exist_ok=True)
            tifffile.imwrite(tmp_path / "own" / kind / f"cell_{number}.tif", array)
    return tmp_path / "own"


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:2000])


def garble(path: Path) -> None:
    path.write_bytes(b"not a picture at all")


def crop(path: Path) -> None:
    tifffile.imwrite(path, tifffile.imread(path)[:50])


def rename(path: Path) -> None:
    path.rename(path.with_name("other.tif"))


def blank(path: Path) -> None:
    for each in path.parent.iterdir():
        tifffile.imwrite(each, np.zeros_like(tifffile.imread(each)))


def spoil(path: Path) -> None:
    image = tifffile.imread(path).astype(np.float32)
    image[3, 4] = np.nan
    tifffile.imwrite(path, image)


@pytest.mark.parametrize(
    ("damage", "path", "words"),
    [
        (cut, "images/cell_2.tif", ["images/cell_2.tif cannot be read", "cut short"]),
        (garble, "labels/cell_1.tif", ["labels/cell_1.tif cannot be read", "neither PNG nor TIFF"]),
        (crop, "labels/cell_1.tif", ["images/cell_1.tif is 64 x 72", "labels/cell_1.tif 50 x 72"]),
        (rename, "labels/cell_0.tif", ["cell_0.tif", "other.tif", "Give an image and its labels"]),
        (blank, "labels/cell_0.tif", ["all 4 label images are empty"]),
        (spoil, "images/cell_3.tif", ["images/cell_3.tif has 1 values", "NaN"]),
    ],
)
def test_files_that_are_damaged_or_do_not_match_are_named(
    command: Command, own: Path, damage: Any, path: str, words: list[str]
) -> None:
    damage(own / path)
    told = message(command("train", *TINY_FILES, "dataset=folder", f"dataset.root={own}"))
    for word in words:
        assert word in told
    assert not list(Path.cwd().rglob("*.ckpt"))


def test_no_data_and_no_network(command: Command) -> None:
    url = "http://localhost:9/DIC-C2DH-HeLa.zip"  # nothing listens there
    source = ("dataset=hela", "data_dir=nowhere", f"dataset.url={url}")
    told = message(command("train", *TINY_FILES, *source))
    for word in ("nowhere/DIC-C2DH-HeLa", url, "unzip it yourself", "data_dir (or UNET_EXP_DATA)"):
        assert word in told
    assert not Path("nowhere").exists()
    told = message(command("train", *TINY_FILES, *source, "dataset.download=false"))
    assert "dataset.download=true" in told


@pytest.fixture
def cramped(command: Command) -> Callable[..., Finished]:
    """``cramped(size, "train", ...)``: a process whose files may not grow beyond ``size`` bytes.

    A nearly full disk behaves the same way. It is another process, since the limit would hold
    for the test runner's own output too.
    """

    def run(size: int, name: str, *arguments: str) -> Finished:
        def limit() -> None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

        words = [sys.executable, str(ROOT / f"{name}.py"), *arguments]
        done = subprocess.run(words, capture_output=True, text=True, preexec_fn=limit, check=False)
        return Finished(done.returncode, done.stdout, done.stderr)

    return run


@pytest.mark.parametrize("size", [1000, 4200, 10_000])
def test_a_full_disk(cramped: Callable[..., Finished], size: int) -> None:
    """At first the configuration cannot be written, then Hydra's part of it, then no weights."""
    told = message(cramped(size, "train", *TINY, "hydra.run.dir=run"))
    assert told.startswith("The disk is full: ")
    named = {1000: ".hydra/config.yaml", 4200: ".hydra/hydra.yaml", 10_000: "checkpoints/best.ckpt"}
    assert f"run/{named[size]} could not be written. Free some space" in told
    assert not list(Path("run").rglob("*.ckpt"))
    whole = {p.name for p in Path("run").rglob("*") if p.is_file()}
    if size < 10_000:
        assert not whole
    else:
        assert json.loads(Path("run/summary.json").read_text())["state"] == "failed"
        assert Path("run/metrics.csv").read_text().count("\n") == 2


def test_a_disk_that_fills_up_keeps_the_last_good_checkpoint(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = 0

    def fsync(_: int) -> None:
        nonlocal saved
        saved += 1
        if saved > 2:  # best and last of the first validation
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("unet_exp.training.whole_files.os.fsync", fsync)
    told = message(command("train", *TINY, "hydra.run.dir=run"))
    assert told.startswith("The disk is full")
    for name in ("best", "last"):
        content = torch.load(f"run/checkpoints/{name}.ckpt", weights_only=True)
        assert content["global_step"] == 2
    assert len(list(Path("run/checkpoints").iterdir())) == 2
    assert json.loads(Path("run/summary.json").read_text())["state"] == "failed"


def test_a_full_disk_leaves_no_incomplete_prediction(
    cramped: Callable[..., Finished], trained: Path
) -> None:
    tifffile.imwrite("noise.tif", np.random.default_rng(0).random((99, 99), np.float32))
    source = f"checkpoint={trained}/checkpoints/best.ckpt"
    told = message(cramped(5000, "predict", source, "input=noise.tif", "output=out"))
    assert told.startswith("The disk is full: out/noise_probabilities.tif could not be written")
    assert [path.name for path in Path("out").iterdir()] == ["predict.json"]


@pytest.mark.parametrize("folder", ["file", "file/run"])
def test_an_output_that_cannot_be_made(command: Command, folder: str) -> None:
    Path("file").touch()
    told = message(command("train", *TINY, f"hydra.run.dir={folder}"))
    assert told.startswith(f"{folder} cannot be made, because a file is in its place.")


def test_an_output_without_permission(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def mkdir(self: Path, *_: Any, **__: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    monkeypatch.setattr(Path, "mkdir", mkdir)  # root may write anywhere
    told = message(command("train", *TINY, "hydra.run.dir=locked/run"))
    assert told.startswith("locked/run cannot be read or written (Permission denied).")


def test_a_loss_that_is_not_finite_keeps_the_last_good_checkpoint(command: Command) -> None:
    # A rate that grows 40,000 times every two steps.
    growing = ("scheduler=poly", "scheduler.power=-60", "optimizer=sgd", "optimizer.lr=1e-3")
    arguments = (*growing, "model.norm=none", "trainer.max_steps=12")
    told = message(command("train", *TINY, *arguments, "hydra.run.dir=run"))
    assert told.startswith("The loss of step 4 is not finite. Lower optimizer.lr")
    content = torch.load("run/checkpoints/last.ckpt", weights_only=True)
    assert content["global_step"] == 2
    assert all(v.isfinite().all() for v in content["state_dict"].values())
    summary = json.loads(Path("run/summary.json").read_text())
    assert (summary["state"], summary["scores"]["step"]) == ("failed", 2)
    assert "step 4 is not finite" in summary["error"]


def test_a_checkpoint_of_another_architecture(command: Command, trained: Path) -> None:
    start = f"ckpt_path={trained}/checkpoints/last.ckpt"
    told = message(command("train", *TINY, start, "model.base_channels=3", "model.norm=none"))
    for word in ("another architecture", "model.base_channels=3", "pass model.base_channels=2"):
        assert word in told
    Path("table.ckpt").write_text("step,loss\n1,0.5\n")
    told = message(command("train", *TINY, "ckpt_path=table.ckpt"))
    assert told.startswith("table.ckpt cannot be read as a checkpoint")


def empty(path: Path) -> None:
    for kind in ("images", "labels"):
        for each in (path.parents[1] / kind).iterdir():
            each.unlink()


def colour(path: Path) -> None:
    for each in path.parent.iterdir():
        tifffile.imwrite(each, np.stack([tifffile.imread(each)] * 3, -1), photometric="rgb")


def keep(path: Path) -> None:
    pass


@pytest.mark.parametrize(
    ("damage", "path", "split", "words"),
    [
        (crop, "labels/cell_3.tif", "validation", ["images/cell_3.tif is 64 x 72", "50 x 72"]),
        (spoil, "images/cell_3.tif", "validation", ["images/cell_3.tif has 1 values", "NaN"]),
        (empty, "images/cell_0.tif", "validation", ["own/images"]),
        (colour, "images/cell_0.tif", "validation", ["own has 3 channels", "takes 1"]),
        (keep, "images/cell_0.tif", "test", ["test split of own has no labelled image"]),
    ],
)
def test_images_that_cannot_be_scored(
    command: Command, trained: Path, own: Path, damage: Any, path: str, split: str, words: list[str]
) -> None:
    damage(own / path)
    data = ("dataset=folder", f"dataset.root={own}", f"split={split}")
    told = message(command("evaluate", f"run={trained}", *data, "hydra.run.dir=evaluation"))
    for word in words:
        assert word in told
    assert not list(Path("evaluation").rglob("*.json"))


def test_a_run_that_left_no_checkpoint(command: Command, trained: Path) -> None:
    Path("run").mkdir()
    Path("run/summary.json").write_text('{"state": "failed"}')
    told = message(command("evaluate", "run=run"))
    assert told.startswith("run holds no checkpoint: neither best.ckpt nor last.ckpt is in it")
    both = command("evaluate", f"run={trained}", f"checkpoint={trained}/checkpoints/best.ckpt")
    assert message(both) == "Give one of run=FOLDER and checkpoint=FILE."
