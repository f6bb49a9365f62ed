"""The presets of sweeps, ours and those for W&B, fit the configuration."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.types import RunMode
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from tests.running import TINY, Command
from unet_exp.configuration import groups, reference, schema

PRESETS = groups.option_files("sweep")
WANDB = groups.option_files("sweep/wandb")
PROJECT = Path(__file__).parents[1]

DISTRIBUTIONS = {"uniform", "log_uniform_values", "int_uniform", "q_uniform"}


@pytest.fixture(autouse=True)
def configuration() -> Iterator[None]:
    schema.register()
    with initialize_config_dir(str(groups.CONF), version_base="1.3"):
        yield


def composed(*words: str) -> DictConfig:
    return compose("train", list(words))


def with_hydra(*words: str) -> DictConfig:
    from hydra.core.global_hydra import GlobalHydra

    hydra = GlobalHydra.instance().hydra
    assert hydra is not None
    return hydra.compose_config("train", list(words), run_mode=RunMode.MULTIRUN).hydra


def swept(params: Any) -> dict[str, list[str]]:
    """Return the words of each parameter of a preset."""
    words = [f"{key}={value}" for key, value in params.items()]
    parsed = OverridesParser.create().parse_overrides(words)
    return {
        one.get_key_element(): [f"{one.get_key_element()}={v}" for v in one.sweep_string_iterator()]
        for one in parsed
    }


def test_the_documented_presets_exist() -> None:
    assert {path.stem for path in PRESETS} == {
        "augmentation_ablation",
        "depth_width",
        "folds",
        "optimizer",
    }
    assert {path.stem for path in WANDB} == {"bayes", "grid", "random"}


@pytest.mark.parametrize("path", PRESETS, ids=lambda p: p.stem)
def test_a_preset_is_a_sweep_each_job_of_which_composes(path: Path) -> None:
    hydra = with_hydra(f"sweep={path.stem}", "dataset=hela", "data_dir=nowhere")
    assert hydra.mode == RunMode.MULTIRUN
    words = swept(hydra.sweeper.params)
    assert all(len(set(several)) > 1 for several in words.values())
    for job in itertools.product(*words.values()):
        cfg = composed(f"sweep={path.stem}", "dataset=hela", "data_dir=nowhere", *job)
        for word in job:
            key, _, value = word.partition("=")
            if key in groups.GROUPS:
                option = composed(f"{key}={value}", "dataset=hela")[key]
                assert cfg[key]._target_ == option._target_
            else:
                assert str(OmegaConf.select(cfg, key)) == value


@pytest.mark.parametrize("path", PRESETS, ids=lambda p: p.stem)
def test_a_preset_says_how_it_is_called(path: Path) -> None:
    assert f"#   python train.py sweep={path.stem} dataset=" in path.read_text()


def test_a_preset_needs_no_flag_and_gives_way_to_the_command_line(command: Command) -> None:
    words = ("sweep=optimizer", "optimizer=adamw,sgd", "optimizer.lr=0.001")
    done = command("train", *TINY, *words, "hydra.sweep.dir=jobs")
    assert done.code == 0, done.err
    found = sorted(path.parent.name for path in Path("jobs").glob("*/summary.json"))
    assert found == ["0", "1"]


def values(parameter: dict[str, Any]) -> list[Any]:
    """Return every value of a parameter of W&B's, or both ends of its range."""
    if "value" in parameter:
        return [parameter["value"]]
    if "values" in parameter:
        return parameter["values"]
    assert parameter["distribution"] in DISTRIBUTIONS
    assert parameter["min"] < parameter["max"]
    if parameter["distribution"].startswith("log"):
        assert parameter["min"] > 0
    return [parameter["min"], parameter["max"]]


@pytest.mark.parametrize("path", WANDB, ids=lambda p: p.stem)
def test_what_wandb_may_ask_for_composes_and_is_measured(path: Path) -> None:
    sweep = yaml.safe_load(path.read_text())
    assert (PROJECT / sweep["program"]).is_file()
    assert sweep["method"] == path.stem
    # As `wandb agent` replaces them: train.py model.depth=3, without dashes.
    assert sweep["command"] == ["${env}", "python", "${program}", "${args_no_hyphens}"]
    assert sweep["project"] == composed().logger.project
    options = {key: values(parameter) for key, parameter in sweep["parameters"].items()}
    fixed = [f"{key}={several[0]}" for key, several in options.items()]
    for key, several in options.items():
        for value in several:
            cfg = composed(*fixed, f"{key}={value}")
            if "." in key:
                chosen = OmegaConf.select(cfg, key)
                assert chosen == value
                assert type(chosen) in (type(value), float)
    kind, _, name = sweep["metric"]["name"].partition("/")
    assert kind == "val"
    metric = instantiate(composed(*fixed).metric[name], _convert_="all")
    assert sweep["metric"]["goal"] == ("maximize" if metric.higher_is_better else "minimize")
    if sweep["method"] == "grid":
        assert not any("distribution" in parameter for parameter in sweep["parameters"].values())


def test_help_lists_presets_and_not_the_files_of_wandb() -> None:
    (sweep,) = (group for group in reference.groups("train") if group.name == "sweep")
    assert [option.name for option in sweep.options] == [
        "augmentation_ablation", "depth_width", "folds", "optimizer",
    ]  # fmt: skip
