"""What the help says of groups, options and values."""

import functools
from pathlib import Path

import pytest
import torch
from hydra.utils import get_object

from unet_exp.configuration.docstrings import REFERENCE
from unet_exp.configuration.groups import CONF
from unet_exp.configuration.reference import Option, Value, groups, top_level


def value(option: Option, name: str) -> Value:
    return next(one for one in option.values if one.name == name)


def test_a_default_is_the_one_composed_from_signature_and_files() -> None:
    small, article = Option("model", "unet_small"), Option("model", "unet")
    assert value(article, "model.base_channels").default == "64"
    assert value(small, "model.base_channels").default == "16"
    assert value(small, "model.upsampling").default == "transposed"
    assert value(small, "model.in_channels").default == "${dataset.in_channels}"


def test_a_null_that_the_plan_replaces_is_distinguished_from_other_nulls() -> None:
    assert value(Option("model", "unet_small"), "model.depth").is_planned
    assert not value(Option("model", "unet"), "model.depth").is_planned
    tile = value(Option("loader", "default"), "loader.tile")
    assert (tile.default, tile.is_planned) == ("null", False)


def test_choices_and_ranges_are_those_that_the_constructor_checks() -> None:
    unet = Option("model", "unet")
    assert value(unet, "model.norm").choices == ("none", "batch", "group", "instance")
    assert value(unet, "model.dropout").range == "0 to 1"
    assert value(unet, "model.base_channels").range == "1 or more"
    scale = value(Option("inference", "overlap_tile"), "inference.scale")
    assert scale.range == "0.015625 to 64"


def test_an_option_of_a_family_has_a_name_of_its_own_in_its_values() -> None:
    assert [one.name for one in Option("metric", "object_f1").values] == ["metric.object_f1.iou"]
    names = [one.name for one in Option("hydra/sweeper", "optuna").values]
    assert "hydra.sweeper.n_trials" in names


def test_another_librarys_docstring_gives_its_first_sentence() -> None:
    lr = value(Option("optimizer", "adamw"), "optimizer.lr")
    assert (lr.default, lr.meaning) == ("0.002", "Learning rate.")
    assert value(Option("scheduler", "cosine"), "scheduler.T_max").default == "${trainer.max_steps}"


def test_arguments_that_the_run_passes_are_no_values() -> None:
    names = {one.name.partition(".")[2] for one in Option("loader", "default").values}
    assert not names & {"dataset", "network", "target"}


def test_a_preset_lists_the_values_that_it_sets() -> None:
    assert Option("sweep", "folds").sets == ("dataset.fold=0,1",)
    hela = Option("experiment", "hela_cpu").sets
    assert {"dataset=hela", "trainer.max_steps=5000", "weight_map.class_balance=true"} <= {*hela}


def test_commands_have_different_groups() -> None:
    assert [group.name for group in groups("predict")] == ["inference", "postprocessing"]
    assert not groups("export")
    chosen = {group.name: group.chosen for group in groups("train")}
    assert (chosen["model"], chosen["hydra/sweeper"]) == ("unet_small", "grid")
    loader = next(group for group in groups("evaluate") if group.name == "loader")
    assert not loader.can_choose


def test_a_folder_of_the_user_adds_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lab_net.py").write_text(
        '"""Ours."""\n\n\nclass Net:\n    """Ours alone.\n\n    Args:\n'
        '        wide (int): how wide it is\n    """\n\n'
        "    def __init__(self, wide: int = 3, out_channels: int = 2) -> None: ...\n"
    )
    path = tmp_path / "conf" / "model" / "lab.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("_target_: lab_net.Net\nout_channels: ${of_target:out_channels}\n")
    monkeypatch.syspath_prepend(tmp_path)
    model = next(g for g in groups("train", (CONF, tmp_path / "conf")) if g.name == "model")
    lab = next(option for option in model.options if option.name == "lab")
    assert lab.summary == "Ours alone."
    wide = value(lab, "model.wide")
    assert (wide.default, wide.kind, wide.meaning) == ("3", "a whole number", "How wide it is.")
    assert {option.name for option in model.options} > {"unet", "unet_small"}


def test_an_option_of_an_extra_that_is_not_installed_has_no_values(tmp_path: Path) -> None:
    path = tmp_path / "model" / "extra.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("# Of an extra.\n_target_: no_such_package.Net\nwide: 3\n")
    extra = Option("model", "extra", (tmp_path,))
    assert (extra.summary, extra.values) == ("Of an extra.", ())


def test_nested_values_of_a_command_have_their_whole_names() -> None:
    names = [one.name for one in top_level("train")]
    assert {"init_from.path", "monitor.mode", "sweep.resume"} <= {*names}
    assert not {"defaults", "hydra", "metric", "callbacks"} & {*names}


VALUES = {
    (value.name, option.typed): value
    for group in groups("train")
    for option in group.options
    for value in option.values
}


def test_each_value_of_each_option_has_its_line() -> None:
    missing = [" of ".join(names) for names, value in VALUES.items() if not value.meaning]
    assert not missing
    unresolved = [
        " of ".join(names)
        for names, value in VALUES.items()
        if REFERENCE.match(value.meaning) or value.meaning.startswith("As for")
    ]
    assert not unresolved


@pytest.mark.parametrize("command", ["train", "evaluate", "predict", "export"])
def test_each_value_of_a_command_has_its_line(command: str) -> None:
    assert not [one.name for one in top_level(command) if not one.meaning]


def test_each_option_is_described_in_one_line_of_the_help() -> None:
    told = {one.typed: one.summary for group in groups("train") for one in group.options}
    assert not [name for name, summary in told.items() if not 3 < len(summary) <= 58]


CHECKED = {
    (option.target, value.name.rpartition(".")[2]): value
    for group in groups("train")
    for option in group.options
    for value in option.values
    if option.target.startswith("unet_exp.") and (value.choices or value.range)
}


#: What a constructor asks for before it checks the rest.
NEEDED = {
    "unet_exp.models.padded.Padded": {"network": torch.nn.Identity(), "step": 1, "halo": 0},
    "unet_exp.datasets.cell_tracking.CellTracking": {"name": "a", "download": False},
}


@pytest.mark.parametrize("target", sorted({target for target, _ in CHECKED}))
def test_each_documented_choice_or_range_is_checked_by_the_constructor(target: str) -> None:
    build = functools.partial(get_object(target), **NEEDED.get(target, {}))
    for (other, name), value in CHECKED.items():
        kind = int if value.kind.startswith("a whole number") else float
        wrong = "no_such" if value.choices else kind(float(value.range.split()[0]) - 1)
        if other == target:
            with pytest.raises(
                ValueError, match=f"{name}=.* (is unknown|is out of range|is neither)"
            ):
                build(**{name: wrong})
