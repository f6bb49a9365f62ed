"""Scores of a checkpoint: the ones logged by training, and those of other images."""

import csv
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import torch

from tests.running import TINY_FILES, Command, Finished, own_images
from unet_exp.evaluation import evaluate

FAST = ("pictures=0", "hydra.run.dir=evaluation")


def result(folder: str = "evaluation") -> dict[str, Any]:
    return json.loads((Path(folder) / "evaluation.json").read_text())


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def logged(run: Path, name: str = "best") -> dict[str, float]:
    """What training logged at the step of a checkpoint."""
    step = torch.load(run / "checkpoints" / f"{name}.ckpt", weights_only=True)["global_step"]
    row = next(row for row in table(run / "metrics.csv") if row["step"] == str(step))
    return {k.removeprefix("val/"): float(v) for k, v in row.items() if k.startswith("val/")}


def refused(done: Finished, *words: str) -> None:
    assert done.code == 1
    assert "Traceback" not in done.out + done.err
    assert done.err.count("Error:") == 1
    for word in words:
        assert word in done.err
    for name in ("evaluation.json", "per_image.csv"):
        # A run holds the scores of its own last validation.
        assert {path.parent.name for path in Path.cwd().rglob(name)} <= {"validation"}


@pytest.mark.parametrize("name", ["best", "last"])
def test_the_scores_are_those_of_training(command: Command, trained: Path, name: str) -> None:
    source = f"run={trained}" if name == "best" else f"checkpoint={trained}/checkpoints/last.ckpt"
    done = command("evaluate", source, *FAST)
    assert done.code == 0, done.err
    found, expected = result(), logged(trained, name)
    assert found["scores"] == {k: v for k, v in expected.items() if k != "loss"}
    assert (found["split"], found["images"]) == ("validation", 4)
    rows = table(Path("evaluation/per_image.csv"))
    assert [row["name"] for row in rows] == [f"validation_00{i}" for i in range(4)]
    # The images are of one size, so that the mean over them is that over all pixels.
    mean = np.mean([float(row["pixel_error"]) for row in rows])
    assert mean == pytest.approx(found["scores"]["pixel_error"])
    for name, value in found["scores"].items():
        values = [float(row[name]) for row in rows]
        assert found["per_image"][name]["median"] == pytest.approx(np.median(values))
        assert f"{value:.4f}" in done.out
    assert "validation, 4 images" in done.out


def test_the_files_hold_additional_numbers(command: Command, trained: Path) -> None:
    done = command("evaluate", f"run={trained}", *FAST)
    found, row = result(), table(Path("evaluation/per_image.csv"))[0]
    assert {name for name in row if "/" in name} >= {"v_rand/split", "v_rand/merge"}
    curve, details = found["curves"]["v_rand"], found["details"]["v_rand"]
    best = curve["thresholds"].index(details["threshold"])
    assert curve["values"][best] == max(curve["values"]) == found["scores"]["v_rand"]
    assert (curve["split"][best], curve["merge"][best]) == (details["split"], details["merge"])
    assert f"threshold {details['threshold']:g}" in " ".join(done.out.split())
    assert found["checkpoint"] == [f"{trained}/checkpoints/best.ckpt"]
    assert set(found) >= {"versions", "precision_recall", "split", "tta", "dataset", "started"}


def test_the_test_split_has_its_own_images(command: Command, trained: Path) -> None:
    assert command("evaluate", f"run={trained}", *FAST, "split=test").code == 0
    assert table(Path("evaluation/per_image.csv"))[0]["name"] == "test_000"
    assert result()["scores"]["dice"] != pytest.approx(logged(trained)["dice"])


def test_the_worst_and_the_best_are_drawn(command: Command, trained: Path) -> None:
    done = command("evaluate", f"run={trained}", "pictures=1", "hydra.run.dir=evaluation")
    assert done.code == 0, done.err
    drawn = sorted(Path("evaluation/pictures").iterdir())
    assert [p.name.split("_")[0] for p in drawn] == ["best", "precision", "threshold", "worst"]
    assert all(str(p.name) in done.out for p in drawn)


def test_each_run_of_a_sweep_is_scored_in_its_own_folder(command: Command, trained: Path) -> None:
    thresholds = "postprocessing.threshold=0,1"
    done = command("evaluate", "-m", f"run={trained}", thresholds, "pictures=0")
    assert done.code == 0, done.err
    assert len(list(Path("outputs/evaluations").glob("*/*/evaluation.json"))) == 2


def test_given_values_replace_those_of_the_checkpoint(command: Command, trained: Path) -> None:
    # Nothing is above 1, and everything above 0 is a single object.
    assert command("evaluate", f"run={trained}", *FAST, "postprocessing.threshold=1").code == 0
    assert result()["scores"]["seg"] == 0
    smaller = ("dataset.validation=2", "metric=[iou]", "metric.v_rand.thresholds=[0.5]")
    assert command("evaluate", f"run={trained}", *FAST, *smaller).code == 0
    assert result()["images"] == 2
    for option in ("watershed", "none"):
        assert command("evaluate", f"run={trained}", *FAST, f"postprocessing={option}").code == 0


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("+postprocessing.treshold=1", ["no postprocessing.treshold", "postprocessing.threshold?"]),
        ("postprocessing.threshold=high", ["postprocessing.threshold=high is not a number"]),
        ("+postprocessing.threshold=40", ["postprocessing.threshold=40.0 is out of range"]),
        ("trainer=gpu", ["option of train.py", "Did you mean accelerator=gpu?"]),
        ("loader=default", ["takes loader from the checkpoint", "loader.NAME=VALUE"]),
        ("+surplus=1", ["no surplus"]),
        ("postprocessing=watershd", ["Did you mean postprocessing=watershed?", "components"]),
        ("+metric.v_rand.treshold=1", ["no metric.v_rand.treshold: VRand", "thresholds?"]),
        ("+metric.seg=5", ["metric.seg=5 is no part"]),
        ("model.depth=5", ["model was fixed in training"]),
        ("+dataset.in_channels=2", ["has 2 channels", "takes 1"]),
        ("dataset=folder", ["dataset.root is not given"]),
        ("split=exam", ["exam", "test"]),
        ("run=null", ["one of run=FOLDER and checkpoint=FILE"]),
        ("checkpoint=best.ckpt", ["one of run=FOLDER and checkpoint=FILE"]),
        ("run=elsewhere", ["No run folder at elsewhere"]),
        ("run=.", [". is neither a run nor a sweep"]),
    ],
)
def test_wrong_overrides_are_refused(
    command: Command, trained: Path, override: str, words: list[str]
) -> None:
    refused(command("evaluate", f"run={trained}", *FAST, override), *words)


def doctored(trained: Path, part: str, node: Any) -> Path:
    content = torch.load(trained / "checkpoints" / "best.ckpt", weights_only=True)
    content["config"][part] = node
    torch.save(content, "doctored.ckpt")
    return Path("doctored.ckpt")


@pytest.mark.parametrize("part", ["model", "dataset", "loss", "postprocessing"])
def test_a_doctored_checkpoint_builds_nothing(command: Command, trained: Path, part: str) -> None:
    path = doctored(trained, part, {"_target_": "os.mkdir", "path": "made"})
    done = command("evaluate", f"checkpoint={path}", *FAST)
    refused(done, f"{part}._target_=os.mkdir is no option of {part}", "was not built")
    assert not Path("made").exists()


def test_a_checkpoint_downloads_and_writes_nothing(command: Command, trained: Path) -> None:
    """A data set in the place of a metric's value, with an archive to unpack into this folder."""
    with zipfile.ZipFile("evil.zip", "w") as archive:
        for name in ("01/t000.tif", "01_GT/SEG/man_seg000.tif", "__init__.py"):
            archive.writestr(name, "")
    target = "unet_exp.datasets.cell_tracking.CellTracking"
    source = {"data_dir": ".", "url": Path("evil.zip").resolve().as_uri(), "download": True}
    evil = {"_target_": target, "name": "sitecustomize", **source}
    metric = {"iou": {"_target_": "unet_exp.metrics.iou.IoU", "background": evil}}
    path = doctored(trained, "metric", metric)
    done = command("evaluate", f"checkpoint={path}", *FAST)
    refused(done, "metric.iou.background builds something", "was not built")
    # As the data set itself it loads nothing, and looks where the user says.
    path = doctored(trained, "dataset", evil)
    refused(command("evaluate", f"checkpoint={path}", *FAST), "in data/sitecustomize")
    assert not Path("sitecustomize").exists()
    assert not Path("data").exists()


def test_a_network_larger_than_its_weights_takes_no_memory(command: Command, trained: Path) -> None:
    content = torch.load(trained / "checkpoints" / "best.ckpt", weights_only=True)
    huge = {**content["config"]["model"], "base_channels": 30_000, "depth": 7}
    path = doctored(trained, "model", huge)
    refused(command("evaluate", f"checkpoint={path}", *FAST), "another architecture", "numbers")


def test_weights_of_another_architecture_are_refused(command: Command, trained: Path) -> None:
    content = torch.load(trained / "checkpoints" / "best.ckpt", weights_only=True)
    path = doctored(trained, "model", {**content["config"]["model"], "base_channels": 3})
    refused(command("evaluate", f"checkpoint={path}", *FAST), "doctored.ckpt", "architecture")


def test_own_images_may_have_moved(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("UNET_EXP_CACHE")
    own_images(tmp_path / "here")
    source = ("dataset=folder", "dataset.root=here")
    done = command("train", *TINY_FILES, *source, "hydra.run.dir=run")
    assert done.code == 0, done.err
    # What is computed from one's own images lies beside them.
    assert len(list(Path("here/.unet_exp_cache/weight_maps").glob("*.npy"))) == 6

    shutil.move("here", "there")
    with monkeypatch.context() as patch:
        patch.setattr(evaluate, "open_trained", lambda *_: pytest.fail("the network was loaded"))
        missing = command("evaluate", "run=run", *FAST)
    refused(missing, "was trained on images in here", "dataset.root=here")
    done = command("evaluate", "run=run", *FAST, "+dataset.root=there")
    assert done.code == 0, done.err
    assert result()["scores"] == {k: v for k, v in logged(Path("run")).items() if k != "loss"}


def challenge(root: Path) -> None:
    """Two sequences of two frames with gold masks, laid out as the Cell Tracking Challenge does."""
    for sequence in ("01", "02"):
        for folder in (sequence, f"{sequence}_GT/SEG"):
            (root / folder).mkdir(parents=True)
        for number in range(2):
            labels = np.zeros((64, 64), np.uint16)
            labels[8:30, 8:30], labels[31:60, 10 + number : 44] = 1, 2
            image = (labels > 0) * 90 + np.arange(64, dtype=np.uint8)
            tifffile.imwrite(root / sequence / f"t00{number}.tif", image.astype(np.uint8))
            tifffile.imwrite(root / f"{sequence}_GT" / "SEG" / f"man_seg00{number}.tif", labels)


def test_a_challenges_data_may_have_moved(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    challenge(tmp_path / "here" / "Tiny")
    source = ("dataset=cell_tracking", "dataset.name=Tiny", "dataset.annotations=gold")
    offline = "dataset.download=false"
    arguments = (*TINY_FILES, *source, offline, "data_dir=here")
    done = command("train", *arguments, "hydra.run.dir=run")
    assert done.code == 0, done.err
    expected = {k: v for k, v in logged(Path("run")).items() if k != "loss"}

    shutil.move("here", "there")
    refused(command("evaluate", "run=run", *FAST), "data/Tiny", "data_dir")
    assert command("evaluate", "run=run", *FAST, "data_dir=there").code == 0
    assert result()["scores"] == expected
    monkeypatch.setenv("UNET_EXP_DATA", "there")
    again = ("pictures=0", "hydra.run.dir=again")
    assert command("evaluate", "run=run", *again).code == 0
    assert result("again")["scores"] == expected


def test_a_network_is_scored_on_other_data(command: Command, trained: Path) -> None:
    own_images(Path("own"))
    other = ("dataset=folder", "dataset.root=own", "pictures=0", "hydra.run.dir=evaluation")
    done = command("evaluate", f"run={trained}", *other)
    assert done.code == 0, done.err
    assert [row["name"] for row in table(Path("evaluation/per_image.csv"))] == ["0", "1"]


def test_a_training_without_metrics_predicts_and_asks_for_one_to_be_scored(
    command: Command, trained: Path
) -> None:
    path = doctored(trained, "metric", {})
    image = trained.parent / "image.npy"
    np.save(image, np.zeros((64, 64), np.float32))
    done = command("predict", f"checkpoint={path}", f"input={image}", "output=masks")
    assert (done.code, done.err) == (0, "")
    done = command("evaluate", f"checkpoint={path}", *FAST)
    refused(done, "Without any metric there is nothing to score. Add one: metric=[seg].")


def test_a_metric_is_taken_away_as_in_training(command: Command, trained: Path) -> None:
    done = command("evaluate", f"run={trained}", *FAST, "~metric.sge")
    refused(done, "There is no metric.sge to take away. There are", "seg")
    more = ("metric=[det]", "~metric.seg", "metric.dice=null")
    done = command("evaluate", f"run={trained}", *FAST, *more)
    assert done.code == 0, done.err
    assert set(result()["scores"]) == {"pixel_error", "iou", "v_rand", "v_info", "det"}


@pytest.mark.parametrize(
    ("part", "value", "told"),
    [
        ("state_dict", 5, "no weights"),
        ("state_dict", {"a": "b"}, "no weights"),
        ("state_dict", {}, "no weights"),
    ],
)
def test_a_checkpoint_without_weights_is_named(
    command: Command, trained: Path, part: str, value: Any, told: str
) -> None:
    content = torch.load(trained / "checkpoints" / "best.ckpt", weights_only=True)
    torch.save({**content, part: value}, "doctored.ckpt")
    refused(command("evaluate", "checkpoint=doctored.ckpt", *FAST), "doctored.ckpt", told)


def test_images_of_another_magnification_are_scored_in_their_own_size(
    command: Command, trained: Path
) -> None:
    done = command("evaluate", f"run={trained}", *FAST, "scale=0.5", "pictures=1")
    assert done.code == 0, done.err
    assert result()["scale"] == 0.5
    assert result()["scores"] != command_scores(command, trained)


def command_scores(command: Command, trained: Path) -> dict[str, float]:
    command("evaluate", f"run={trained}", "pictures=0", "hydra.run.dir=plain")
    return result("plain")["scores"]


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("scale=auto", "the checkpoint records none"),
        ("scale=0", "scale=0 is no factor"),
        ("dataset.object_diameter=9", "give scale=FACTOR"),
    ],
)
def test_a_magnification_that_cannot_be_known_is_refused(
    command: Command, trained: Path, override: str, told: str
) -> None:
    refused(command("evaluate", f"run={trained}", *FAST, override), told)
