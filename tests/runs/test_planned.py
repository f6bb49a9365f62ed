"""Which values of a configuration are planned, and which are not."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, OmegaConf
from tests.running import Command

from unet_exp.configuration import groups, schema
from unet_exp.configuration.objects import to_plain_data
from unet_exp.datasets.sample import Sample
from unet_exp.planning.plan import UNPLANNED
from unet_exp.runs.planned import settle_by_checkpoint, settle_plan
from unet_exp.training.checkpoint import CheckpointError

KNOWN = ("name=any", "dataset.in_channels=1", "dataset.num_classes=2")


class Squares:
    """A data set of two images with a square of 20 x 20 pixels each."""

    def __init__(self) -> None:
        labels = np.zeros((64, 64), np.int32)
        labels[10:30, 10:30] = 1
        self.samples = [Sample(name, np.zeros((1, 64, 64), np.float32), labels) for name in "ab"]

    def split(self, name: str) -> list[Sample]:
        return self.samples


def composed(*overrides: str) -> DictConfig:
    schema.register()
    with initialize_config_dir(str(groups.CONF), version_base="1.3"):
        return compose("train", overrides=[*KNOWN, *overrides])


def at(cfg: DictConfig, *keys: str) -> list[Any]:
    return [OmegaConf.select(cfg, key) for key in keys]


def test_null_values_follow_from_the_data() -> None:
    cfg = composed()
    assert set(at(cfg, *UNPLANNED)) == {None}
    lines = settle_plan(cfg, Squares())
    assert at(cfg, *UNPLANNED) == [1.0, 4, 128, 16, 5.0, 100, 500]
    assert cfg.scheduler.T_max == 500
    assert len(lines) == 1 + len(UNPLANNED)  # two facts, and no line about images as they are
    assert lines[0] == "2 images with sides of 64 pixels, 10% foreground"
    assert lines[2].startswith("model.depth=4  (")


def test_given_values_do_not_change() -> None:
    given = ("model.depth=2", "loader.tile=32", "loader.batch_size=3", "trainer.max_steps=7")
    cfg = composed(*given, "weight_map=uniform", "postprocessing=components")
    lines = settle_plan(cfg, Squares())
    assert at(cfg, *(text.partition("=")[0] for text in given)) == [2, 32, 3, 7]
    assert [line.partition("=")[0] for line in lines[2:]] == [
        "loader.max_tile", "postprocessing.min_size",
    ]  # fmt: skip
    assert "sigma" not in cfg.weight_map
    assert settle_plan(cfg, Squares()) == []


def test_without_a_plan_values_are_the_usual_ones() -> None:
    cfg = composed("plan=none", "model.depth=3")
    assert settle_plan(cfg, None) == []
    assert at(cfg, *UNPLANNED) == [1.0, 3, *list(UNPLANNED.values())[2:]]


def test_an_unknown_plan_is_refused() -> None:
    with pytest.raises(ValueError, match=r"plan=fast is not known\. Choose auto or none"):
        settle_plan(composed("plan=fast"), Squares())


@pytest.mark.parametrize("name", [path.stem for path in groups.option_files("experiment")])
def test_no_experiment_is_planned(name: str) -> None:
    """Their numbers come from the README or the article."""
    cfg = composed(f"experiment={name}")
    assert settle_plan(cfg, None) == []
    assert None not in at(cfg, "loader.batch_size", "trainer.max_steps")


def test_the_experiments_of_the_article_keep_its_values() -> None:
    for name in ("isbi_em_paper", "hela_paper", "u373_paper"):
        cfg = composed(f"experiment={name}")
        settle_plan(cfg, None)
        keys = ("model.depth", "loader.tile", "loader.batch_size", "weight_map.sigma")
        assert at(cfg, *keys) == [4, 572, 1, 5.0]
        assert at(cfg, "trainer.max_steps", "postprocessing.min_size") == [30000, 0]


def test_a_checkpoint_settles_the_values_that_its_training_planned() -> None:
    held = composed("weight_map.sigma=3.5", "loader.batch_size=4", "loader.tile=64")
    settle_plan(held, Squares())
    cfg = composed("weight_map.sigma=2.5")
    settle_by_checkpoint(cfg, to_plain_data(held), "a.ckpt")
    assert at(cfg, "weight_map.sigma", "loader.batch_size", "loader.tile") == [2.5, 4, 64]
    assert cfg.postprocessing.min_size == 100


@pytest.mark.parametrize("plan", ["auto", "none"])
def test_objects_of_a_given_diameter_settle_the_scale(plan: str) -> None:
    # A square of 20 x 20 pixels is as large as a disc with a diameter of 22.6 pixels.
    cfg = composed("dataset.object_diameter=5", f"plan={plan}")
    lines = settle_plan(cfg, Squares())
    assert cfg.inference.scale == cfg.loader.scale == pytest.approx(5 / 22.57, rel=1e-3)
    assert cfg.postprocessing.grow == 5  # the target takes 1 pixel of 0.22
    assert any(line.startswith("inference.scale=0.22") for line in lines)
    assert any(line.startswith("postprocessing.grow=5  (1 pixel of the shrunk") for line in lines)


def test_a_scale_that_is_given_stays() -> None:
    cfg = composed("dataset.object_diameter=5", "inference.scale=2", "postprocessing.grow=3")
    settle_plan(cfg, Squares())
    assert at(cfg, "inference.scale", "postprocessing.grow") == [2, 3]


def test_lengths_follow_the_target_of_small_objects_too() -> None:
    class Dots(Squares):
        def __init__(self) -> None:
            super().__init__()
            for sample in self.samples:
                sample.labels[:] = 0
                sample.labels[10:19, 10:19] = 1

    cfg = composed()
    lines = settle_plan(cfg, Dots())
    assert cfg.postprocessing.smoothing == pytest.approx(10.16 / 8, abs=0.01)
    assert any(line.startswith("postprocessing.smoothing=1.27") for line in lines)
    given = composed("postprocessing.smoothing=2")
    settle_plan(given, Dots())
    assert given.postprocessing.smoothing == 2
    resumed = composed()
    settle_by_checkpoint(resumed, to_plain_data(cfg), "a.ckpt")
    assert resumed.postprocessing.smoothing == cfg.postprocessing.smoothing


def test_a_checkpoint_of_an_earlier_version_resized_nothing() -> None:
    cfg = composed()
    settle_by_checkpoint(cfg, {"inference": {"tile": None}}, "a.ckpt")
    assert cfg.inference.scale == 1


@pytest.mark.parametrize("value", ["${oc.env:HOME}", "9", True, [3], {"a": 1}, float("nan")])
def test_a_checkpoint_settles_by_numbers_only(value: Any) -> None:
    with pytest.raises(CheckpointError, match=r"a\.ckpt has model\.depth=.* no number"):
        settle_by_checkpoint(composed(), {"model": {"depth": value}}, "a.ckpt")


def test_a_checkpoint_with_an_invalid_group_settles_nothing() -> None:
    cfg = composed()
    settle_by_checkpoint(cfg, {"model": 3, "loader": None, "trainer": {"max_steps": None}}, "a")
    assert set(at(cfg, *UNPLANNED)) == {None}


def test_labels_of_points_are_refused(command: Command, write: Any) -> None:
    points = np.zeros((64, 64), np.uint16)
    points[8::16, 8::16] = np.arange(1, 17).reshape(4, 4)
    for number in range(3):
        write(f"own/images/{number}.tif", points * 100)
        write(f"own/labels/{number}.tif", points)
    source = ("dataset=folder", "dataset.root=own", "dataset.labels=instances")
    failed = command("train", *source, "logger=none")
    assert failed.code == 1
    assert "The objects of the 2 labelled training images are single pixels" in failed.err
    assert not Path("outputs").exists()
