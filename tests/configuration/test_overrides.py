"""An override means the same in every command, with or without a plus."""

from typing import Any

import pytest
from hydra.errors import OverrideParseException
from omegaconf import OmegaConf
from tests.running import Command

from unet_exp.commands.entry import composed
from unet_exp.configuration import schema
from unet_exp.configuration.overrides import CommandLine


def with_any_plus(words: list[str], command_name: str) -> list[str]:
    return CommandLine.read(words, command_name).words()


@pytest.mark.parametrize("command_name", ["evaluate", "predict"])
@pytest.mark.parametrize("plus", ["", "+", "++"])
@pytest.mark.parametrize(
    "override",
    [
        "postprocessing.threshold=0.6", "inference.tile=64", "dataset.root=my images (1)",
        "metric.iou.background=true", "loader.batch_size=2",
    ],
)  # fmt: skip
def test_values_of_a_checkpoint_are_changed(command_name: str, plus: str, override: str) -> None:
    (written,) = with_any_plus([f"{plus}{override}"], command_name)
    assert written.replace('"', "") == f"++{override}"


@pytest.mark.parametrize("plus", ["", "+", "++"])
def test_groups_are_chosen(plus: str) -> None:
    word = f"{plus}postprocessing=watershed"
    for name in ("train", "evaluate", "predict"):
        assert with_any_plus([word], name) == ["postprocessing=watershed"]


def test_words_that_are_no_overrides_of_values_do_not_change() -> None:
    overrides = ["~metric.iou", "++hydra.callbacks.a=1", "hydra/launcher=ray", "model.depth=2,3"]
    flags = ["-m", "--cfg", "job", "nonsense", "--config-name=x=y"]
    assert with_any_plus([*overrides, *flags], "train") == [*flags, *overrides]


@pytest.mark.parametrize("word", ["+=", "=1", "model.depth=(", "a b=1", "~a b"])
def test_unreadable_overrides_are_refused(word: str) -> None:
    with pytest.raises(OverrideParseException):
        with_any_plus([word], "train")


def test_a_command_line_is_read_once() -> None:
    words = ["-m", "++hydra.run.dir=a, b", "sweep=folds", "seed=1", "seed=2,3", "resume=true"]
    words += ["sweep.warm_start=false"]
    line = CommandLine.read(words, "train")
    assert line.is_sweep
    assert line.value("hydra.run.dir") == "a, b"
    assert line.value("ckpt_path") is None
    assert [one.key for one in line.overrides if one.parsed.is_sweep_override()] == ["seed"]
    of_record = [one.key for one in line.overrides if one.is_of_record]
    assert of_record == ["hydra.run.dir", "resume", "sweep.warm_start"]
    assert CommandLine.recorded(line.words()) == line


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["init_from=a.ckpt"], {"path": "a.ckpt", "strict": True}),
        (
            ["init_from=a (1)", "init_from.strict=false"],
            {"path": "a (1)", "strict": False},
        ),
        (["init_from.strict=false", "init_from=a"], {"path": "a", "strict": False}),
        (["init_from={path: a, strict: false}"], {"path": "a", "strict": False}),
        (["init_from=a", "init_from=null"], {"path": None, "strict": True}),
    ],
)
def test_a_file_alone_is_the_path_of_init_from(words: list[str], expected: dict[str, Any]) -> None:
    schema.register()
    cfg = composed("train", CommandLine.read(words, "train"))
    assert cfg.init_from == expected


@pytest.mark.parametrize("word", ["sweep=null", "hydra.mode=RUN", "hydra.sweep.dir=a", "seed=0,1"])
def test_words_that_start_no_sweep(word: str) -> None:
    assert not CommandLine.read([word], "train").is_sweep


@pytest.mark.parametrize("plus", ["", "+", "++"])
def test_hydras_own_keys_take_each_form(plus: str) -> None:
    words = [f"{plus}hydra/launcher=ray", f"{plus}hydra.sweep.subdir=a"]
    after = "++" if plus else ""
    assert with_any_plus(words, "train") == ["hydra/launcher=ray", f"{after}hydra.sweep.subdir=a"]


def test_train_takes_each_form(command: Command) -> None:
    for plus in ("", "+", "++"):
        words = (f"{plus}postprocessing.threshold=0.6", f"{plus}seed=3", f"{plus}dataset=hela")
        done = command("train", "--cfg", "job", *words)
        assert done.code == 0, done.err
        shown = OmegaConf.create(done.out)
        assert shown.postprocessing.threshold == 0.6
        assert (shown.seed, shown.dataset.name) == (3, "DIC-C2DH-HeLa")


def test_a_sweep_takes_each_form(command: Command) -> None:
    # Refused for the last job, after all were planned.
    for plus in ("", "+", "++"):
        done = command("train", "-m", f"{plus}model.depth=2,12", "logger=none", "trainer=cpu")
        assert done.err.startswith(f"Error: Job 1 ({'++' if plus else ''}model.depth=12): ")
