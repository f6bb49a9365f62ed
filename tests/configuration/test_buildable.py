from collections.abc import Sequence
from functools import cache
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from unet_exp.configuration import groups, schema
from unet_exp.configuration.buildable import PARTS, SEVERAL, NotBuildableError, buildable
from unet_exp.runs.planned import settle_plan

UNET = {"_target_": "unet_exp.models.unet.UNet", "depth": 4}
CELLS = {"_target_": "unet_exp.datasets.cell_tracking.CellTracking", "name": "DIC-C2DH-HeLa"}
IOU = {"_target_": "unet_exp.metrics.iou.IoU"}
SUM = "unet_exp.losses.weighted_sum.WeightedSum"
DICE = {"_target_": "unet_exp.losses.dice.Dice"}


def composed(*overrides: str) -> dict[str, Any]:
    schema.register()
    with initialize_config_dir(str(groups.CONF), version_base="1.3"):
        cfg = compose("train", overrides=["name=any", "plan=none", *overrides])
    settle_plan(cfg, None)
    config: Any = OmegaConf.to_container(cfg, resolve=True)
    return config


@cache
def usual() -> dict[str, Any]:
    return composed("dataset.in_channels=1", "dataset.num_classes=2")


def built(changes: dict[str, Any], trust: Sequence[str] = ()) -> dict[str, Any]:
    """Return what may be built from the recorded values of a training, after some changes."""
    return buildable({**usual(), **changes}, trust)


OPTIONS = [
    f"{group}={'[' if group in SEVERAL else ''}{path.stem}{']' if group in SEVERAL else ''}"
    for group in (*PARTS, *SEVERAL)
    for path in groups.option_files(group)
]


#: Values that an option does not have of its own.
NEEDED = {
    "model=padded": (
        "+model.network._target_=unet_exp.models.unet.UNet", "model.step=16", "model.halo=96",
    ),
    "postprocessing=flows": ("target=flows",),
}  # fmt: skip


@pytest.mark.parametrize("option", OPTIONS)
def test_everything_that_a_training_records_may_be_built(option: str) -> None:
    needed = NEEDED.get(option, ())
    config = composed(option, "dataset.in_channels=1", "dataset.num_classes=2", *needed)
    kept = buildable(config)
    group = option.partition("=")[0]
    sources = {"root", "data_dir", "url", "sha256", "download", "archive_limit", "memory_limit"}
    given = sources if group == "dataset" else set()
    assert {k: v for k, v in kept[group].items() if k not in given} == {
        k: v for k, v in config[group].items() if k not in given
    }


def test_folder_and_address_of_images_are_not_kept() -> None:
    source = {"data_dir": "/etc", "url": "http://a/b.zip", "sha256": "0", "download": True}
    assert built({"dataset": {**CELLS, **source}})["dataset"] == {**CELLS, "download": False}
    folder = {"_target_": "unet_exp.datasets.folder.Folder", "root": "/home", "fold": 2}
    assert built({"dataset": folder})["dataset"] == {k: folder[k] for k in ("_target_", "fold")}


def test_other_parts_are_left_out() -> None:
    config = composed("dataset.in_channels=1")
    left = set(config) - set(buildable(config))
    assert {"optimizer", "scheduler", "augmentation", "trainer", "logger", "data_dir"} <= left


@pytest.mark.parametrize(
    ("config", "place"),
    [
        ({"metric": {"iou": {**IOU, "background": CELLS}}}, "metric.iou.background"),
        ({"metric": {"iou": CELLS}}, "metric.iou._target_"),
        ({"metric": IOU}, "metric has a key _target_|metric builds something"),
        ({"model": DICE}, "model._target_"),
        ({"model": {**UNET, "depth": {"_target_": "os.getpid"}}}, "model.depth"),
        ({"model": {**UNET, "norm": [CELLS]}}, r"model.norm\[0\]"),
        ({"loss": {"_target_": SUM, "terms": {"a": CELLS}}}, "loss.terms.a._target_"),
        ({"loss": {"_target_": SUM, "terms": CELLS}}, "loss.terms"),
        ({"loss": {"_target_": SUM, "terms": {"a": {**DICE, "smooth": DICE}}}}, "loss.terms.a"),
        ({"loss": {**DICE, "terms": {"a": DICE}}}, "loss does not fit"),
        ({"model": {"_target_": "os.system", "command": "true"}}, "model._target_=os.system"),
        ({"model": {"_target_": "unet_exp.models.unet.torch.load"}}, "model._target_"),
        ({"model": {"_target_": "unet_exp.datasets.download.fetch"}}, "model._target_"),
        ({"model": {**UNET, "_args_": ["a"]}}, "_args_"),
        ({"model": {**UNET, "_convert_": "all"}}, "_convert_"),
        ({"model": {**UNET, "_recursive_": False}}, "_recursive_"),
        ({"model": {**UNET, "_partial_": "x"}}, "_partial_"),
        ({"model": {**UNET, "activation": "${oc.env:HOME}"}}, "model.activation"),
        ({"model": {**UNET, "dpth": 3}}, "model does not fit"),
        ({"model": {**UNET, "depth": "five"}}, "model does not fit"),
        ({"model": "unet"}, "model=unet is no option"),
        ({"model": {**UNET, 3: 4}}, "key 3"),
        ({"seed": {"_target_": "os.getpid"}}, "seed"),
        ({"monitor": {"metric": "${oc.env:HOME}"}}, "monitor.metric"),
        ({"monitor": 5}, "monitor=5 names no metric"),
        ({"monitor": {}}, "names no metric"),
        ({"metric": {"iou": {**IOU, "classes": [1] * 1001}}}, "more than 1000"),
        ({"model": {**UNET, "base_channels": 10**400}}, "model.base_channels is beyond"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_anything_but_plain_values_of_an_option_is_refused(
    config: dict[str, Any], place: str
) -> None:
    with pytest.raises(NotBuildableError, match=place):
        built(config)


def test_a_training_without_metrics_is_valid() -> None:
    assert built({**usual(), "metric": {}})["metric"] == {}


@pytest.mark.parametrize("part", [*PARTS, *SEVERAL, "monitor", "seed"])
def test_a_configuration_without_a_required_part_is_refused(part: str) -> None:
    config = {name: value for name, value in usual().items() if name != part}
    with pytest.raises(NotBuildableError, match=f"has no {part}"):
        buildable(config)


def test_trusted_classes_may_be_built() -> None:
    inner = {"_target_": "my_lab.Block", "width": 3}
    config = {"model": {"_target_": "my_lab.Net", "blocks": [inner]}}
    with pytest.raises(NotBuildableError, match=r"trust=\[my_lab.Net\]"):
        built(config)
    with pytest.raises(NotBuildableError, match=r"trust=\[my_lab.Block\]"):
        built(config, ["my_lab.Net"])
    assert built(config, ["my_lab.Net", "my_lab.Block"])["model"] == config["model"]
    looked_up = {"model": {"_target_": "my_lab.Net", "path": "${oc.env:HOME}"}}
    with pytest.raises(NotBuildableError, match="looked up"):
        built(looked_up, ["my_lab.Net"])


def test_a_padded_network_needs_trust_in_the_network_inside_alone() -> None:
    inner = {"_target_": "my_lab.Net", "blocks": [{"_target_": "my_lab.Block"}]}
    padded = {"_target_": "unet_exp.models.padded.Padded", "step": 4, "halo": 12, "network": inner}
    for trust, missing in (([], "my_lab.Net"), (["my_lab.Net"], "my_lab.Block")):
        with pytest.raises(NotBuildableError, match=rf"model\.network.*trust=\[{missing}\]"):
            built({"model": padded}, trust)
    assert built({"model": padded}, ["my_lab.Net", "my_lab.Block"])["model"] == padded
    with pytest.raises(NotBuildableError, match=r"model\.network=.* is no option of model"):
        built({"model": {**padded, "network": [inner]}}, ["my_lab.Net", "my_lab.Block"])


def test_a_name_alone_is_trusted_nowhere_else() -> None:
    node = {**IOU, "background": {"_target_": "my_lab.Net"}}
    with pytest.raises(NotBuildableError, match=r"metric\.iou\.background"):
        built({"metric": {"iou": node}}, ["my_lab.Net"])


@pytest.mark.parametrize(
    "changes",
    [
        {"model": {**UNET, "attention": True}},
        {"model": {"_target_": "unet_exp.models.later.Later"}},
    ],
)
def test_the_error_mentions_another_version(changes: dict[str, Any]) -> None:
    with pytest.raises(NotBuildableError, match="If another version of unet_exp wrote it, use"):
        built(changes)
    with pytest.raises(NotBuildableError, match=r"no postprocessing, .*If another version"):
        buildable({key: value for key, value in usual().items() if key != "postprocessing"})
