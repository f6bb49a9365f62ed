"""Temporary folders of results that do not fit into memory."""

import os
from pathlib import Path

import pytest

from unet_exp.files import numbering
from unet_exp.prediction.scratch import scratch


def test_a_folder_on_disk_is_hidden_and_removed(tmp_path: Path) -> None:
    with scratch(tmp_path / "out", in_memory=0) as new_array:
        new_array((3, 3), "uint8")[:] = 1
        (folder,) = (tmp_path / "out").iterdir()
        assert folder.name.startswith(".segmenting.")
    assert list((tmp_path / "out").iterdir()) == []


def test_folders_of_killed_processes_are_removed(tmp_path: Path) -> None:
    killed = tmp_path / f".segmenting.{numbering()}-{2**22 + 1}-01234567.part"
    running = tmp_path / f".segmenting.{numbering()}-{os.getpid()}-01234567.part"
    killed.mkdir()
    running.mkdir()
    with scratch(tmp_path):
        assert list(tmp_path.iterdir()) == [running]


def test_the_folder_of_many_results_is_listed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed: list[Path] = []
    glob = Path.glob
    monkeypatch.setattr(Path, "glob", lambda path, *a: listed.append(path) or glob(path, *a))
    for _ in range(5):
        with scratch(tmp_path):
            pass
    assert listed == [tmp_path]
