"""Suggestions for misspelt keys, and for keys that belong to another command."""

import pytest
from tests.running import TINY, Command

from unet_exp.configuration.hints import hint


@pytest.mark.parametrize(
    ("command_name", "key", "value", "expected"),
    [
        ("predict", "run", "a", "It is an option of evaluate.py. Did you mean checkpoint=a?"),
        ("predict", "split", "test", "It is an option of evaluate.py."),
        ("predict", "inputs", "a", "Did you mean input=a?"),
        ("predict", "folder", "a", "Did you mean input=a?"),
        ("predict", "devices", 2, "It is an option of train.py: trainer.devices."),
        ("predict", "foo", 1, ""),
        ("evaluate", "chekpoint", "a", "Did you mean checkpoint=a?"),
        ("evaluate", "ckpt_path", "a", "It is an option of train.py. Did you mean checkpoint=a?"),
        ("evaluate", "fold", 1, "Did you mean dataset.fold=1?"),
        ("evaluate", "monitor.metric", "iou", "It is an option of train.py."),
        ("train", "tta", "dihedral", "It is an option of evaluate.py and predict.py."),
        ("train", "run", "a", "It is an option of evaluate.py. Did you mean hydra.run.dir=a?"),
        ("train", "epochs", 5, "Did you mean trainer.max_steps=5?"),
        ("train", "depht", 5, "Did you mean model.depth=5?"),
        ("train", "root", "a", "Did you mean dataset.root=a?"),
        ("train", "metric.iuo.background", 1, "Did you mean metric.iou.background=1?"),
    ],
)
def test_a_misspelling_gets_a_suggestion(
    command_name: str, key: str, value: object, expected: str
) -> None:
    assert hint(key, value, command_name) == expected


@pytest.mark.parametrize(
    ("command_name", "words", "expected"),
    [
        ("predict", ("run=a", "input=b", "output=c"), "no run. It is an option of evaluate.py."),
        ("evaluate", ("checkpoint=a", "input=b"), "no input. It is an option of predict.py."),
        (
            "train",
            ("dataset.root=a",),
            "Synthetic has no such parameter. It belongs to dataset=fol",
        ),
        ("train", ("trainer.epochs=3",), "Did you mean trainer.max_steps=3?"),
        ("train", ("averaging=0",), "There is no averaging. Its name is now ema_decay: give ema_"),
        ("train", ("+averaging=0",), "There is no averaging. Its name is now ema_decay: give ema_"),
        ("train", ("weight_map.separation=false",), "Its name is now target.separation: give"),
        ("train", ("model.num_classes=3",), "Its name is now model.out_channels: give model.out_"),
        ("train", ("hydra/sweeper/sampler=random",), "is a part of hydra/sweeper=optuna. Add hyd"),
        ("train", ("target.activation=softmx",), "Error: target.activation=softmx is unknown."),
    ],
)
def test_a_command_shows_the_hint(
    command: Command, command_name: str, words: tuple[str, ...], expected: str
) -> None:
    done = command(command_name, *(TINY if command_name == "train" else ()), *words)
    assert done.code == 1
    assert expected in done.err
    assert "hydra.run=" not in done.err
