"""``--help``: pages on a command, a group, an option or a value."""

from pathlib import Path

import pytest

from tests.running import Command
from unet_exp.commands.help_page import of_value
from unet_exp.commands.help_topics import help_text
from unet_exp.configuration.groups import options
from unet_exp.configuration.hints import OverrideError
from unet_exp.configuration.reference import Value


def test_the_help_of_a_command_shows_its_usage_and_lists_each_option() -> None:
    text = help_text("train", ["--help"])
    first = text.splitlines()[:24]
    assert any("python train.py -m " in line for line in first)
    assert any("--help model=unet" in line for line in first)
    for group in ("model", "dataset", "hydra/sweeper/sampler", "experiment"):
        page = text.partition(f"\n{group}: ")[2].partition("\n\n")[0]
        assert {line.split()[-1] if line.endswith(" ") else line.strip("* ").split()[0]
                for line in page.splitlines()[1:]} >= {*options(group)}  # fmt: skip
    assert "\n  * unet_small" in text
    assert "\n  seed=0 " in text


@pytest.mark.parametrize("command", ["train", "evaluate", "predict", "export"])
def test_no_line_is_wider_than_the_terminal_and_none_has_an_escape_code(command: str) -> None:
    for topic in ([], ["postprocessing=watershed"], ["data_dir"], ["debug"]):
        if command == "export" and topic[:1] == ["postprocessing=watershed"]:
            continue
        if command in ("predict", "export") and topic == ["data_dir"]:
            continue
        text = help_text(command, ["--help", *topic])
        assert "\x1b" not in text
        assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("topic", ["model=unet", "model.unet", "model/unet"])
def test_an_option_is_shown_with_its_values(topic: str) -> None:
    text = help_text("train", ["--help", topic])
    assert "model.depth=4  " in text
    assert "a whole number, 1 to 7\n      Number of 2 x 2 max poolings." in text
    assert "one of valid, same" in text
    assert "model.in_channels  (that of dataset.in_channels)" in text


def test_a_group_is_shown_with_the_values_of_its_usual_option() -> None:
    text = help_text("train", ["--help", "model"])
    assert "model.base_channels=16" in text
    assert "model.depth  (planned)" in text
    assert "More on another option: python train.py --help model=unet" in text


@pytest.mark.parametrize("topic", ["trainer.budget", "budget", "+trainer.budget=20min"])
def test_a_value_is_shown_alone(topic: str) -> None:
    text = help_text("train", [topic, "--help"])
    assert text.startswith("  trainer.budget=null")
    assert "Of trainer=auto" in text
    assert "max_time" not in text


def test_a_part_of_the_command_itself_is_shown_with_its_values() -> None:
    text = help_text("train", ["--help", "monitor"])
    assert "monitor.metric=auto" in text
    assert "monitor.mode=auto" in text


def test_a_preset_is_shown_with_what_it_stands_for() -> None:
    assert "    dataset.fold=0,1" in help_text("train", ["--help", "sweep=folds"])


@pytest.mark.parametrize(
    ("command", "topic", "meant"),
    [
        ("train", "modle", "Did you mean model?"),
        ("train", "model=unett", "Did you mean model=unet? Options of model: padded, "),
        ("train", "model.dept", "Did you mean model.depth?"),
        ("train", "learning_rate", "Did you mean optimizer.lr?"),
        ("predict", "outputt", "Did you mean output?"),
        ("train", "xyzzy", "--help alone lists all groups and values."),
    ],
)
def test_a_topic_that_does_not_exist_names_the_nearest(
    command: str, topic: str, meant: str
) -> None:
    with pytest.raises(OverrideError, match="There is no help on ") as caught:
        help_text(command, ["--help", topic])
    assert meant in str(caught.value)


def test_the_help_of_a_wrong_topic_ends_with_an_error(command: Command) -> None:
    done = command("train", "--help", "modle")
    assert (done.code, done.out) == (1, "")
    assert done.err == "Error: There is no help on modle. Did you mean model?\n"


def test_a_command_for_checkpoints_says_where_its_parts_come_from() -> None:
    text = help_text("evaluate", ["--help"])
    assert "GROUP=OPTION. Without one, the checkpoint's." in text
    assert "\nloader: size and number of the tiles of a step. Single values alone can be" in text


def test_help_after_other_words_explains_these() -> None:
    text = help_text("train", ["dataset=hela", "+dataset.password=geheim", "seed=5", "--help"])
    assert text.startswith("dataset=hela  (unet_exp.datasets.cell_tracking.CellTracking)")
    assert "\n  seed=0 " in text
    assert "geheim" not in text


def test_options_of_the_user_are_listed_and_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "my_lab").mkdir()
    (tmp_path / "my_lab" / "nets.py").write_text(
        'class Net:\n    """A network of ours.\n\n    Parameters\n    ----------\n    wide\n'
        '        Channels.\n    """\n\n    def __init__(self, wide: int = 3) -> None: ...\n'
    )
    (tmp_path / "my_lab" / "__init__.py").touch()
    path = tmp_path / "settings" / "model" / "ours.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("_target_: my_lab.nets.Net\n")
    for words in (["--config-dir", "settings"], ["hydra.searchpath=[file://settings]"]):
        listed = help_text("train", [*words, "--help"])
        assert "\n    ours              A network of ours.\n" in listed
        shown = help_text("train", ["--help", "model=ours", *words])
        assert "  model.wide=3                            a whole number\n      Channels." in shown


def test_a_type_is_shown_even_if_the_name_contains_its_word() -> None:
    value = Value("dataset.context", "a_long_default", kind="text")
    assert of_value(value, width=44).splitlines() == [
        "  dataset.context=a_long_default",
        "      Text.",
    ]
