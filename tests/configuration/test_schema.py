"""The configuration tree matches the signatures in the code, and unknown values are refused."""

import dataclasses
import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from hydra.errors import ConfigCompositionException
from hydra.utils import get_object, instantiate
from omegaconf import DictConfig, OmegaConf

from unet_exp.configuration import groups, schema, signatures
from unet_exp.configuration.docstrings import docstring
from unet_exp.configuration.source import lineage

OURS = [
    path
    for name, group in groups.GROUPS.items()
    if group.package
    for path in groups.option_files(name)
]
EXPERIMENTS = groups.option_files("experiment")


def composed(*overrides: str, config: str = "train") -> DictConfig:
    schema.register()
    with initialize_config_dir(str(groups.CONF), version_base="1.3"):
        return compose(config, overrides=list(overrides))


def targets(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["_target_"]] if "_target_" in node else []
        return own + [t for value in node.values() for t in targets(value)]
    return [t for value in node for t in targets(value)] if isinstance(node, list) else []


@pytest.mark.parametrize("path", OURS, ids=lambda p: f"{p.parent.name}={p.stem}")
def test_option_mirrors_module(path: Path) -> None:
    """conf/<group>/<option>.yaml names something of unet_exp/<groups>/<option>.py.

    An option that extends another has no target; one that belongs to a family names a module of
    the same package.
    """
    option = OmegaConf.to_container(OmegaConf.load(path))
    assert isinstance(option, dict)
    if "_target_" in option:
        package = f"unet_exp.{groups.GROUPS[path.parent.name].package}."
        assert option["_target_"].startswith(package)
    else:
        base = option["defaults"][0]
        assert (path.parent / f"{base}.yaml").exists()


@pytest.mark.parametrize(
    "path",
    [p for p in OURS if p.parent.name in ("model", "loss", "metric", "postprocessing")],
    ids=lambda p: f"{p.parent.name}={p.stem}",
)
def test_the_file_has_the_name_of_its_option(path: Path) -> None:
    option = OmegaConf.to_container(OmegaConf.load(path))
    assert isinstance(option, dict)
    if "_target_" in option:
        package = f"unet_exp.{groups.GROUPS[path.parent.name].package}"
        assert option["_target_"].rpartition(".")[0] == f"{package}.{path.stem}"


@pytest.mark.parametrize("path", OURS, ids=lambda p: f"{p.parent.name}={p.stem}")
def test_option_composes_and_its_targets_exist(path: Path) -> None:
    group, name = path.parent.name, path.stem
    choice = f"[{name}]" if group == "metric" else name
    cfg = composed(f"{group}={choice}")
    for target in targets(OmegaConf.to_container(cfg[group])):
        get_object(target)


STANDING = {"pixel_error", "iou", "dice", "v_rand", "v_info", "seg"}


@pytest.mark.parametrize(
    ("bundle", "measures"),
    [
        ("isbi_em", "v_rand v_info warping_error rand_error pixel_error"),
        ("cell_tracking", "seg det op_csb average_precision object_f1 iou dice"),
    ],
)
def test_the_metrics_of_a_challenge_have_one_name(bundle: str, measures: str) -> None:
    assert list(composed(f"metric={bundle}", config="evaluate").metric) == measures.split()
    both = composed(f"metric=[{bundle},dice]", config="evaluate").metric
    assert set(both) == {*measures.split(), "dice"}
    for words in ([f"metric={bundle}"], [f"metric=[{bundle},dice]"]):
        assert set(composed(*words).metric) == {*measures.split()} | STANDING
    assert list(composed(f"metric={bundle}", "~metric/standing").metric) == measures.split()


@pytest.mark.parametrize(
    ("words", "measured"),
    [
        ([], STANDING),
        (["metric=[det,object_f1]"], {*STANDING, "det", "object_f1"}),
        (["metric=iou"], STANDING),
        (["metric=[]"], STANDING),
        (["~metric.iou"], STANDING - {"iou"}),
        (["metric=det", "~metric/standing"], {"det"}),
        (["experiment=isbi_em_cpu", "metric=det"], {*STANDING, "det"}),
    ],
)
def test_metrics_add_to_those_that_are_always_measured(
    words: list[str], measured: set[str]
) -> None:
    assert set(composed(*words).metric) == measured


def test_an_experiment_keeps_its_values_beside_other_metrics() -> None:
    metric = composed("experiment=isbi_em_cpu", "metric=[pixel_error,det]").metric
    assert len(metric.pixel_error.thresholds) == 10


def test_the_isbi_challenge_sweeps_its_ten_thresholds() -> None:
    for name, node in composed("metric=isbi_em", config="evaluate").metric.items():
        metric = instantiate(node, _convert_="all")
        assert metric.thresholds == tuple(i / 10 for i in range(10)), name


@pytest.mark.parametrize("group", ["optimizer", "scheduler"])
def test_options_of_other_libraries_exist(group: str) -> None:
    for path in groups.option_files(group):
        get_object(composed(f"{group}={path.stem}")[group]["_target_"])


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda p: p.stem)
def test_experiment_composes(path: Path) -> None:
    cfg = composed(f"experiment={path.stem}", "data_dir=nowhere")
    assert cfg.name == path.stem


@pytest.mark.parametrize("command", ["train", "evaluate", "predict"])
def test_command_composes(command: str) -> None:
    assert composed(config=command).debug is False


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("model.dpth=5", "dpth"),
        ("model.depth=five", "UNet"),
        ("optimizer.lr=fast", "AdamW"),
        ("trainer.max_steps=many", "TrainerSettings"),
        ("loader.batch_size=two", "Loaders"),
        ("dataset=cats", "cats"),
        ("max_steps=5", "max_steps"),
    ],
)
def test_a_wrong_override_is_refused_by_name(override: str, named: str) -> None:
    with pytest.raises(ConfigCompositionException) as caught:
        composed(override)
    assert named in f"{caught.value} {caught.value.__cause__}"


def test_the_article_is_the_default_of_its_option() -> None:
    model = composed("model=unet").model
    assert (model.depth, model.base_channels, model.padding, model.norm) == (4, 64, "valid", "none")


def test_schema_takes_defaults_and_stated_parameters_only() -> None:
    node = OmegaConf.structured(
        schema.schema("torch.optim.lr_scheduler.CosineAnnealingLR", ["T_max"])
    )
    assert "optimizer" not in node
    assert OmegaConf.is_missing(node, "T_max")
    assert node.eta_min == 0


def test_the_targets_of_a_group_are_those_of_its_options() -> None:
    assert set(groups.targets("loss").values()) == {
        f"unet_exp.losses.{name}"
        for name in (
            "classes_and_distances.ClassesAndDistances",
            "classes_and_flows.ClassesAndFlows",
            "dice.Dice",
            "weighted_binary_cross_entropy.WeightedBinaryCrossEntropy",
            "weighted_cross_entropy.WeightedCrossEntropy",
            "weighted_sum.WeightedSum",
        )
    }


NAMED = sorted(
    {
        target
        for group in groups.GROUPS
        for path in groups.option_files(group)
        for target in targets(OmegaConf.to_container(OmegaConf.load(path), resolve=False))
    }
)


def by_python(target: str) -> list[inspect.Parameter]:
    function = get_object(target)
    made = {
        field.name: field.default_factory()
        for field in (dataclasses.fields(function) if dataclasses.is_dataclass(function) else ())
        if field.default_factory is not dataclasses.MISSING
    }
    try:
        found = inspect.signature(function, eval_str=True).parameters.values()
        return [p.replace(default=made.get(p.name, p.default)) for p in found]
    except NameError:  # a name that is imported for type checkers alone
        return schema.imported(target)


@pytest.mark.parametrize("target", NAMED)
def test_a_signature_read_is_the_one_imported(target: str) -> None:
    """What is read from the source equals what Python's own inspection returns."""
    read, known = (
        [
            (p.name, p.default, schema.field_type(p.annotation))
            for p in way(target)
            if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
        ]
        for way in (schema.parameters, by_python)
    )
    assert read == known


def test_a_class_may_have_the_name_of_its_base(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = """from unet_exp.losses.dice import Dice

class Dice(Dice):
    \"\"\"My own.

    Parameters
    ----------
    squared
        Whether to square.
    \"\"\"

    def __init__(self, squared: bool = False) -> None:
        pass
"""
    (tmp_path / "one_name.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    assert [p.name for p in signatures.parameters("one_name.Dice")] == ["squared"]
    assert docstring("one_name.Dice").parameters["squared"] == "Whether to square."
    assert [node.name for node, _ in lineage("one_name.Dice")] == ["Dice", "Dice"]


def test_no_schema_imports_torch() -> None:
    code = "import sys; from unet_exp.configuration import schema; schema.register(); "
    asked = "print(*{'torch', 'torchmetrics', 'cv2', 'scipy'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code + asked], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "\n"), done.stderr


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd"])
def test_fused_steps_are_the_plain_ones_up_to_rounding(name: str) -> None:
    weights, gradients = torch.rand(5, 7), torch.randn(20, 5, 7)
    found = []
    for fused in ("true", "null"):
        node = composed(f"optimizer={name}", f"optimizer.fused={fused}", "optimizer.lr=0.01")
        weight = torch.nn.Parameter(weights.clone())
        optimizer = instantiate(node.optimizer)([weight])
        for gradient in gradients:
            weight.grad = gradient
            optimizer.step()
        found.append(weight.detach())
    torch.testing.assert_close(found[0], found[1], rtol=1e-6, atol=1e-6)
    assert not torch.equal(found[0], weights)


@pytest.mark.parametrize(
    ("words", "loss"),
    [
        ([], "WeightedCrossEntropy"),
        (["target=three_class"], "WeightedCrossEntropy"),
        (["target=distance"], "ClassesAndDistances"),
        (["target=flows"], "ClassesAndFlows"),
        (["target=distance", "loss=dice"], "Dice"),
        (["loss=dice", "target=distance"], "Dice"),
        (["experiment=hela_cpu", "target=distance"], "ClassesAndDistances"),
        (["experiment=keras_unet"], "WeightedBinaryCrossEntropy"),
    ],
)
def test_the_loss_follows_the_target_unless_it_is_given(words: list[str], loss: str) -> None:
    assert composed(*words).loss["_target_"].endswith(f".{loss}")


@pytest.mark.parametrize(
    ("words", "values"),
    [
        ([], (1, None, 2.0, 0.8)),
        (["target.separation=false"], (0, None, 2.0, 0.8)),
        (["target=three_class"], (0, 2, 1.0, 0.5)),
        (["target=three_class", "dataset.num_classes=4"], (0, 4, 1.0, 0.5)),
        (["target=distance", "postprocessing.grow=3"], (3, 2, 1.0, 0.3)),
    ],
)
def test_postprocessing_follows_the_target_unless_it_is_given(
    words: list[str], values: tuple[int, int | None, float, float]
) -> None:
    node = composed(*words).postprocessing
    assert (node.grow, node.height, node.smoothing, node.seed_threshold) == values


def test_flows_choose_their_postprocessing_unless_another_is_given() -> None:
    node = composed("target=flows", "dataset.num_classes=4").postprocessing
    assert (node["_target_"].rpartition(".")[2], node.flow) == ("FollowedFlows", 4)
    given = composed("target=flows", "postprocessing=watershed").postprocessing
    assert given["_target_"].endswith(".Watershed")


def test_a_postprocessing_of_another_target_says_so() -> None:
    node = composed("postprocessing=flows").postprocessing
    with pytest.raises(Exception, match="Foreground has no 'flow'"):
        node["flow"]


@pytest.mark.parametrize(
    ("option", "name"), [("synthetic", "synthetic"), ("hela", "cell_tracking")]
)
def test_a_configuration_without_hydras_own_part_has_a_name(
    option: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HydraConfig.instance(), "cfg", None)  # as if no command had run before
    assert composed(f"dataset={option}").name == name


def test_a_name_does_not_need_the_groups_of_an_earlier_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A process that has run predict.py, which has no data set, composes a training."""
    earlier = OmegaConf.create({"hydra": {"runtime": {"choices": {"hydra": "default"}}}})
    monkeypatch.setattr(HydraConfig.instance(), "cfg", earlier)
    assert composed("dataset=hela").name == "cell_tracking"
    earlier.hydra.runtime.choices["dataset"] = "hela"
    assert composed("dataset=hela").name == "hela"
