"""A training from the command line: its network and its record."""

import csv
import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch

from tests.running import TINY, TINY_FILES, TINY_WINDOWS, Command

RECORD = {
    "metrics.csv", "summary.json", "config.yaml", "progress.json", "train.log", "checkpoints",
    "pictures", ".hydra", "validation", "report.html",
}  # fmt: skip


def weights(folder: Path, name: str = "last") -> dict[str, torch.Tensor]:
    content = torch.load(folder / "checkpoints" / f"{name}.ckpt", weights_only=True)
    return content["state_dict"]


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def test_a_run_leaves_its_record(command: Command) -> None:
    done = command("train", *TINY, "pictures.images=1", "hydra.run.dir=run")
    assert done.code == 0, done.err
    folder = Path("run")
    assert {p.name for p in folder.iterdir()} == RECORD
    assert {p.name for p in (folder / "checkpoints").iterdir()} == {"best.ckpt", "last.ckpt"}
    with (folder / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["2", "4"]
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["state"] == "finished"
    assert summary["steps"] == 4
    assert (folder / summary["pictures"][-1]).read_bytes().startswith(b"\x89PNG")
    for word in ("val/seg", "run folder", "learning_curves.png", "run/report.html", "to type next"):
        assert word in done.out


def test_windows_teach_a_network_that_scores_and_segments_whole_images(command: Command) -> None:
    done = command("train", *TINY_WINDOWS, "hydra.run.dir=run")
    assert done.code == 0, done.err
    done = command("evaluate", "run=run", "pictures=0", "hydra.run.dir=evaluation")
    assert done.code == 0, done.err
    scores = json.loads(Path("evaluation/evaluation.json").read_text())["scores"]
    assert scores["seg"] == json.loads(Path("run/summary.json").read_text())["scores"]["val/seg"]
    # Smaller than a window: what lies beyond its border is mirrored.
    tifffile.imwrite("scan.tif", np.random.default_rng(0).integers(0, 255, (40, 53), np.uint8))
    words = ("checkpoint=run/checkpoints/best.ckpt", "input=scan.tif", "output=out")
    done = command("predict", *words)
    assert done.code == 0, done.err
    assert tifffile.imread("out/scan_probabilities.tif").shape[-2:] == (40, 53)


def test_a_network_of_another_library_trains_and_scores(command: Command) -> None:
    pytest.importorskip("monai")
    network = "monai.networks.nets.UNet"
    words = [
        "model=padded", f"+model.network._target_={network}", "+model.network.spatial_dims=2",
        "+model.network.in_channels=1", "+model.network.out_channels=2",
        "+model.network.channels=[2,4]", "+model.network.strides=[2]", "+model.network.norm=batch",
        "model.step=2", "model.halo=6",
        *(word for word in TINY if not word.startswith("model.")),
    ]  # fmt: skip
    done = command("train", *words, "hydra.run.dir=run")
    assert done.code == 0, done.err
    words = ["evaluate", "run=run", "pictures=0", "hydra.run.dir=evaluation"]
    done = command(*words)
    assert done.code == 1
    assert f"add trust=[{network}]" in done.err
    done = command(*words, f"trust=[{network}]")
    assert done.code == 0, done.err
    scores = json.loads(Path("evaluation/evaluation.json").read_text())["scores"]
    assert scores["seg"] == json.loads(Path("run/summary.json").read_text())["scores"]["val/seg"]


def test_the_last_steps_are_validated_too(command: Command) -> None:
    assert command("train", *TINY, "trainer.max_steps=3", "hydra.run.dir=run").code == 0
    assert [line.split(",")[0] for line in Path("run/metrics.csv").read_text().split()] == [
        "step",
        "2",
        "3",
    ]


def test_a_seed_fixes_every_bit(command: Command) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        arguments = (f"hydra.run.dir={name}", f"seed={seed}", "model.dropout=0.5")
        assert command("train", *TINY, *arguments).code == 0
    assert same(weights(Path("a")), weights(Path("b")))
    assert not same(weights(Path("a")), weights(Path("c")))


@pytest.mark.parametrize("scheduler", ["cosine", "plateau"])
def test_a_killed_run_resumes_to_the_same_weights(
    command: Command, tmp_path: Path, scheduler: str
) -> None:
    arguments = [*TINY, "trainer.max_steps=12", f"scheduler={scheduler}", "model.dropout=0.5"]
    assert command("train", *arguments, "hydra.run.dir=whole").code == 0

    # SIGKILL leaves no chance to tidy up: only what was saved before counts.
    killed = tmp_path / "killed"
    script = Path(__file__).parents[2] / "train.py"
    words = [sys.executable, str(script), *arguments, f"hydra.run.dir={killed}"]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 120
        while not (killed / "checkpoints" / "last.ckpt").exists() and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert json.loads((killed / "summary.json").read_text())["state"] == "running"

    done = command("train", *arguments, f"hydra.run.dir={killed}", "resume=true")
    assert done.code == 0, done.err
    assert same(weights(Path("whole")), weights(killed))
    assert same(weights(Path("whole"), "best"), weights(killed, "best"))
    whole, resumed = (
        [
            (row["step"], row["val/loss"])
            for row in csv.DictReader((f / "metrics.csv").read_text().splitlines())
        ]
        for f in (Path("whole"), killed)
    )
    assert whole == resumed


def test_resume_refuses_other_settings(command: Command) -> None:
    assert command("train", *TINY, "hydra.run.dir=run").code == 0
    other = command("train", *TINY, "hydra.run.dir=run", "resume=true", "optimizer.lr=0.1")
    assert other.code == 1
    assert "optimizer.lr=0.002 (now 0.1)" in other.err
    again = command("train", *TINY, "hydra.run.dir=run")
    assert again.code == 1
    assert "already holds a run" in again.err


def test_a_finished_run_continues_with_more_steps(command: Command) -> None:
    quick = (*TINY, "scheduler=one_cycle", "pictures.images=0", "hydra.run.dir=run")
    assert command("train", *quick).code == 0
    done = command("train", *quick, "trainer.max_steps=6", "resume=true")
    assert done.code == 0, done.err
    assert "planned for 4 steps; from step 4 on" in done.out
    assert json.loads(Path("run/summary.json").read_text())["steps"] == 6


def test_a_finished_run_resumed_keeps_its_record(command: Command) -> None:
    assert command("train", *TINY, "hydra.run.dir=run").code == 0
    before = json.loads(Path("run/summary.json").read_text())
    done = command("train", *TINY, "hydra.run.dir=run", "resume=true")
    assert done.code == 0, done.err
    after = json.loads(Path("run/summary.json").read_text())
    assert after["scores"] == before["scores"]
    assert (after["steps"], after["run_id"]) == (4, before["run_id"])


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("~metric.seg", "monitor.metric=seg"), "monitor.metric=seg is not measured"),
        (("metric.seg=null", "monitor.metric=val/seg"), "monitor.metric=seg is not measured"),
        (("metric=[iou]", "monitor.metric=det"), "monitor.metric=det is not measured"),
        (("~metric/standing",), "monitor.metric=auto takes the first of seg,"),
        (("~metric/standing", "+metric.iou.background=true"), "metric.iou has values, but"),
        (("monitor.metric=pixel_error", "monitor.mode=max"), "monitor.mode=min"),
        (("trainer.limit_val_batches=0",), "at least 1 image"),
        (("pictures.every=0",), "pictures.every=0"),
        (("model.out_channels=0",), "out_channels"),
    ],
)
def test_trainings_that_would_fail_late_are_refused(
    command: Command, words: tuple[str, ...], named: str
) -> None:
    failed = command("train", *TINY, *words)
    assert failed.code == 1
    assert named in failed.err


def test_the_direction_of_a_score_is_its_own(command: Command) -> None:
    words = ("metric=[pixel_error]", "monitor.metric=pixel_error", "hydra.run.dir=run")
    assert command("train", *TINY, *words).code == 0
    rows = list(csv.DictReader(Path("run/metrics.csv").read_text().splitlines()))
    best = min(float(row["val/pixel_error"]) for row in rows)
    assert json.loads(Path("run/summary.json").read_text())["scores"]["val/pixel_error"] == best


def test_ckpt_path_continues_in_a_new_folder(command: Command) -> None:
    assert command("train", *TINY, "scheduler=constant", "hydra.run.dir=a").code == 0
    start = "ckpt_path=a/checkpoints/last.ckpt"
    done = command(
        "train", *TINY, "scheduler=constant", start, "trainer.max_steps=6", "hydra.run.dir=b"
    )
    assert done.code == 0, done.err
    assert json.loads(Path("b/summary.json").read_text())["steps"] == 6
    done = command("train", *TINY, "scheduler=constant", start, "hydra.run.dir=d")
    assert done.code == 1
    assert "leaves nothing to train" in done.err
    refused = command("train", *TINY, start, "model.depth=1", "hydra.run.dir=c")
    assert refused.code == 1
    assert "another architecture" in refused.err
    assert "model.depth=2" in refused.err


def test_a_longer_training_continues_with_the_schedule_of_all_its_steps(
    command: Command, trained: Path
) -> None:
    start = f"ckpt_path={trained}/checkpoints/last.ckpt"
    quick = (*TINY, "pictures.images=0", "postprocessing.fit=false", start)
    done = command("train", *quick, "trainer.max_steps=8", "hydra.run.dir=b")
    assert done.code == 0, done.err
    assert "schedule    was planned for 4 steps; from step 4 on, it is that of 8 steps" in done.out
    with Path("b/metrics.csv").open(newline="") as file:
        rates = [float(row["lr"]) for row in csv.DictReader(file)]
    # A cosine from 0.002 down over 8 steps; a row has the rate of the step that comes next.
    assert rates[-2:] == pytest.approx([0.001 * (1 + math.cos(math.pi * 6 / 8)), 0])
    refused = command("train", *quick, "trainer.max_steps=8", "scheduler=poly", "hydra.run.dir=c")
    assert refused.code == 1
    assert "begin anew with its weights alone: init_from=" in refused.err


def test_a_training_begins_with_the_weights_of_another(command: Command, trained: Path) -> None:
    quick = (*TINY, "pictures.images=0", "postprocessing.fit=false", f"init_from={trained}")
    frozen = ("optimizer=sgd", "optimizer.lr=0", "scheduler=constant", "trainer.max_steps=1")
    done = command("train", *quick, *frozen, "init_from.strict=false", "hydra.run.dir=a")
    assert done.code == 0, done.err
    assert f"weights     from {trained}/checkpoints/best.ckpt\n" in done.out
    before, after = weights(trained, "best"), weights(Path("a"))
    names = [name for name in before if name.endswith("weight")]
    assert all(torch.equal(after[name], before[name]) for name in names)
    refused = command("train", *quick, "model.base_channels=3", "hydra.run.dir=b")
    assert refused.code == 1
    assert "does not fit this network: contracting.0.0 (weight (2, 1, 3, 3), here" in refused.err
    both = command("train", *quick, f"ckpt_path={trained}", "hydra.run.dir=b")
    assert "Give one of them" in both.err
    assert not Path("b").exists()


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("init_from=none.ckpt", ["none.ckpt"]),
        ("model.dpth=5", ["dpth"]),
        ("model.depth=five", ["five", "model.depth", "UNet"]),
        ("dataset=cats", ["cats", "isbi_em"]),
        ("model.depth=7", ["model.depth", "128"]),
        ("loader.tile=50", ["loader.tile=50", "48 or 52"]),
        ("trainer=gpu", ["trainer=cpu"]),
        ("trainer.max_steps=0", ["max_steps"]),
        ("ckpt_path=none.ckpt", ["none.ckpt"]),
    ],
)
def test_wrong_input_is_one_clear_message(
    command: Command, override: str, words: list[str]
) -> None:
    valid = ["model.padding=valid"] if "tile" in override else []
    failed = command("train", *TINY, *valid, override, "hydra.run.dir=run")
    assert failed.code == 1
    assert "Traceback" not in failed.err + failed.out
    for word in words:
        assert word in failed.err
    assert not list(Path.cwd().rglob("*.ckpt"))


def test_debug_shows_the_stack_trace(command: Command) -> None:
    failed = command("train", *TINY, "trainer.max_steps=0", "debug=true")
    assert failed.code == 1
    assert "Traceback" in failed.err


def test_a_loss_that_is_not_finite_ends_the_run_at_its_step(command: Command) -> None:
    explode = ("optimizer=sgd", "optimizer.lr=1e30", "scheduler=constant")
    failed = command("train", *TINY, *explode, "trainer.max_steps=6", "hydra.run.dir=run")
    assert failed.code == 1
    assert "loss of step" in failed.err
    summary = json.loads(Path("run/summary.json").read_text())
    assert summary["state"] == "failed"
    for path in Path("run/checkpoints").glob("*.ckpt"):
        state = torch.load(path, weights_only=True)["state_dict"]
        assert all(v.isfinite().all() for v in state.values() if v.is_floating_point())


def test_preview_shows_what_the_network_would_see(command: Command) -> None:
    done = command("train", *TINY, "preview=true", "hydra.run.dir=run")
    assert done.code == 0, done.err
    assert Path("run/pictures/training_samples.png").read_bytes().startswith(b"\x89PNG")
    assert not Path("run/checkpoints").exists()


def test_an_unwritable_output_is_named(command: Command) -> None:
    Path("file").touch()
    failed = command("train", *TINY, "hydra.run.dir=file/run")
    assert failed.code == 1
    assert "file/run" in failed.err
    assert "Traceback" not in failed.err


def test_the_loggers_write_into_the_run_folder(command: Command) -> None:
    for logger, pattern in (
        ("csv", "csv/version_0/metrics.csv"),
        ("tensorboard", "tensorboard/events.*"),
    ):
        words = ("pictures.images=1", f"logger={logger}", f"hydra.run.dir={logger}")
        done = command("train", *TINY, *words)
        assert done.code == 0, done.err
        assert list(Path(logger).glob(pattern))
    assert not os.path.lexists("lightning_logs")


@pytest.mark.parametrize("side", [(5, 5), (1, 7)])
@pytest.mark.parametrize("padding", ["same", "valid"])
def test_images_of_a_few_pixels_train_and_validate(
    command: Command, side: tuple[int, int], padding: str
) -> None:
    for number in range(4):
        labels = np.zeros(side, np.uint8)
        labels[side[0] // 2, number : number + 3] = 1
        for kind, array in (("images", labels * 99 + np.arange(side[1])), ("labels", labels)):
            Path("own", kind).mkdir(parents=True, exist_ok=True)
            tifffile.imwrite(f"own/{kind}/{number}.tif", array.astype(np.uint8))
    words = ("dataset=folder", "dataset.root=own", "loader.tile=null", "pictures.images=1")
    done = command("train", *TINY_FILES, *words, f"model.padding={padding}", "hydra.run.dir=run")
    assert done.code == 0, done.err
    # Unpadded, the smallest tile gives 4 x 4 pixels, which fit into 5 x 5.
    told = f"such as {side[0]} x {side[1]}, go on mirrored" in done.out
    assert told is not (padding == "valid" and side == (5, 5))
    assert Path("run/checkpoints/best.ckpt").exists()
