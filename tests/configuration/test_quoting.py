"""Paths and names with special characters reach Hydra unchanged."""

from pathlib import Path
from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from unet_exp.configuration import quoting
from unet_exp.configuration.overrides import CommandLine
from unet_exp.configuration.quoting import in_quotes


def read(word: str) -> Any:
    """Return the value of an override as Hydra reads it, or each of several values."""
    parse = OverridesParser.create().parse_override
    override = parse(word)
    if override.is_sweep_override():
        return [parse(f"a={value}").value() for value in override.sweep_string_iterator()]
    return override.value()


def quoted(word: str, sweep: bool = False) -> str:
    """An override with its value in quotes, if it needs them."""
    typed, _, value = word.partition("=")
    return f"{typed}={quoting.quoted(typed.lstrip('+'), value, sweep)}"


#: What a command line can hold.
LETTERS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1)


@given(LETTERS)
def test_any_text_in_quotes_is_read_back(text: str) -> None:
    assert read(f"a={in_quotes(text)}") == text


@given(LETTERS.filter(lambda text: "${" not in text and text != "???"))
def test_a_name_may_have_any_letters(text: str) -> None:
    value = read(quoted(f"name={text}"))
    # Quotes around a whole name are the shell's, or Hydra's.
    assert value == text or (text[0] in "'\"" and text[-1] == text[0])


@pytest.mark.parametrize("text", ["a ${", "${}", "${a"])
def test_a_reference_without_its_end_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"Close its brace, or leave the dollar sign out"):
        quoted(f"name={text}")


def test_references_stay() -> None:
    value = read(quoted("name=a, ${seed}"))
    assert OmegaConf.create({"seed": 3, "name": value}).name == "a, 3"
    assert quoted("hydra.run.dir=a/${now:%Y}") == "hydra.run.dir=a/${now:%Y}"


@pytest.mark.parametrize(
    ("typed", "tags"),
    [
        ("tags=[it's ok,b/c]", ["it's ok", "b/c"]),
        ("tags=[a b, c]", ["a b", "c"]),
        ("tags=[é,😀,w0=5,-x,(1)]", ["é", "😀", "w0=5", "-x", "(1)"]),
        ('tags=["a, b",it\'s]', ["a, b", "it's"]),
        ("tags=[a,b]", ["a", "b"]),
        ("tags=[]", []),
    ],
)
def test_tags_may_have_any_letters(typed: str, tags: list[str]) -> None:
    assert read(quoted(typed)) == tags


@pytest.mark.parametrize(
    "key",
    [
        "input", "output", "checkpoint", "run", "data_dir", "dataset.root", "+dataset.root",
        "+dataset.data_dir", "ckpt_path", "hydra.run.dir", "hydra.sweep.dir", "sweep.resume",
        "+callbacks.mine.dirpath", "hydra.launcher.folder", "+anything.else",
    ],
)  # fmt: skip
def test_the_home_folder_is_known_in_every_option(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/zoë's")
    assert read(quoted(f"{key}=~/my data")) == "/home/zoë's/my data"
    assert read(quoted(f"{key}=~")) == "/home/zoë's"
    assert read(quoted(f"{key}=[~/a,~/b c]")) == ["/home/zoë's/a", "/home/zoë's/b c"]


def test_only_a_leading_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert read(quoted("output=a~/b")) == "a~/b"
    assert read(quoted("output=./~")) == "./~"
    assert read(quoted("name=~/mine")) == "~/mine"
    assert CommandLine.read(["~metric.iou"], "train").words() == ["~metric.iou"]


@pytest.mark.parametrize("path", [r"C:\data\x", r"a\b\\c", "back\\", r"a\ b", r"\\host\share"])
@pytest.mark.parametrize("key", ["input", "output", "dataset.root", "hydra.run.dir"])
def test_backslashes_stay(key: str, path: str) -> None:
    assert read(quoted(f"{key}={path}")) == path
    assert read(quoted(f"{key}=[{path}]")) == [path]


def test_several_paths_in_a_sweep_are_each_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert read(quoted("dataset.root=~/a,b (1)", sweep=True)) == ["/home/me/a", "b (1)"]
    assert quoted("run=a,b", sweep=True) == "run=a,b"
    assert read(quoted("run=a,b")) == "a,b"
    for key in ("name", "hydra.sweep.dir", "sweep.resume"):
        assert read(quoted(f"{key}=a,b", sweep=True)) == "a,b"


def test_names_of_files_need_no_quotes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("scan (1), left.tif").touch()
    assert quoted("input=scan (1), left.tif") == 'input="scan (1), left.tif"'
    assert quoted("input=scan ([12])*.tif") == 'input="scan ([12])*.tif"'
    assert quoted("input=scan [3].tif") == 'input="scan [3].tif"'
    assert quoted("model.x=scan (1), left.tif") == 'model.x="scan (1), left.tif"'
    assert quoted("model.x=scan (2)") == "model.x=scan (2)"
    assert quoted("input='scan (1), left.tif'") == "input='scan (1), left.tif'"


def test_the_name_of_a_file_is_no_reference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("${seed}.tif").touch()
    cfg = OmegaConf.create({"seed": 1, "input": read(quoted("input=${seed}.tif"))})
    assert cfg.input == "${seed}.tif"
    cfg = OmegaConf.create({"seed": 1, "input": read(quoted("input=${seed}.png"))})
    assert cfg.input == "1.png"


@given(
    st.sampled_from(["output=", "name=", "dataset.root=", "tags=["]),
    LETTERS.filter(lambda text: "${" not in text),
)
def test_written_overrides_are_read_unchanged(key: str, text: str) -> None:
    word = f"{key}{text}{']' if '[' in key else ''}"
    written = CommandLine.read([word], "train").words()
    assert CommandLine.recorded(written).words() == written
