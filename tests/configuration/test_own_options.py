import sys
from pathlib import Path

import pytest

from unet_exp.configuration.hints import OverrideError
from unet_exp.configuration.overrides import CommandLine
from unet_exp.configuration.own_options import find_own_options, folders


@pytest.mark.parametrize(
    ("words", "importable"),
    [
        (["input=images", "trust=[]"], False),
        (["--config-dir", "conf"], True),
        (["trust=[our_lab.networks.TwoScales]"], True),
        (["+callbacks.mine._target_=mine.Callback"], True),
    ],
)
def test_the_current_folder_is_importable_if_the_command_names_code(
    words: list[str], importable: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["elsewhere"])
    find_own_options(CommandLine.read(words, "train"))
    assert sys.path == ["elsewhere", *([str(tmp_path)] if importable else [])]


def test_folders_are_found_in_each_way_that_hydra_knows() -> None:
    words = ["-cd=a", "--config-dir", "b", "hydra.searchpath=[file://c,pkg://d]", "seed=1"]
    assert folders(CommandLine.read(words, "train")) == [Path("a"), Path("b"), Path("c")]


@pytest.mark.parametrize("place", ["pkg://", "file://", "''"])
def test_a_search_path_without_a_folder_is_refused(place: str) -> None:
    line = CommandLine.read([f"hydra.searchpath=[file://a,{place}]"], "train")
    with pytest.raises(OverrideError, match=r"names no folder\. Give file://FOLDER"):
        folders(line)


@pytest.mark.parametrize(
    "content", [b"depth: [3", b"\0", b"7", b"\xff", b"a: " + b"[" * 999 + b"]" * 999]
)
@pytest.mark.parametrize("group", ["model", "experiment"])
def test_an_option_that_is_no_yaml_of_values_is_named(
    tmp_path: Path, group: str, content: bytes
) -> None:
    path = tmp_path / group / "mine.yaml"
    path.parent.mkdir()
    path.write_bytes(content)
    line = CommandLine.read([f"hydra.searchpath=[file://{tmp_path}]"], "train")
    with pytest.raises(OverrideError, match=r"mine\.yaml cannot be read as an option"):
        find_own_options(line)
