"""The same override in every command, with a plus or without."""

import pytest
from omegaconf import OmegaConf

from tests.running import Command
from unet_exp.commands.plus import with_any_plus


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
    assert with_any_plus([f"{plus}{override}"], command_name) == [f"++{override}"]


@pytest.mark.parametrize("plus", ["", "+", "++"])
def test_groups_are_chosen(plus: str) -> None:
    word = f"{plus}postprocessing=watershed"
    for name in ("train", "evaluate", "predict"):
        assert with_any_plus([word], name) == ["postprocessing=watershed"]


def test_what_is_no_override_of_a_value_stays(command: Command) -> None:
    words = ["-m", "--cfg", "job", "~metric.iou", "+hydra.callbacks.a=1", "hydra/launcher=ray"]
    words += ["model.depth=2,3", "nonsense", "+=", "--config-name=x=y"]
    assert with_any_plus(words, "train") == words


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
