"""Files and folders that are there whole or not at all, whatever happens in between."""

import errno
import multiprocessing
from pathlib import Path

import pytest

from unet_exp.files import replacing


def fill(folder: Path, text: str) -> None:
    folder.mkdir()
    for name in ("a", "b"):
        (folder / name).write_text(text)


def test_a_folder_takes_the_place_of_another(tmp_path: Path) -> None:
    for text in ("old", "new"):
        with replacing(tmp_path / "result") as part:
            fill(part, text)
    assert (tmp_path / "result" / "b").read_text() == "new"
    assert list(tmp_path.iterdir()) == [tmp_path / "result"]


def test_a_folder_that_cannot_be_replaced_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path / "result", "old")
    rename = Path.rename

    def busy(self: Path, target: Path) -> Path:
        if self.suffix == ".part" and target.name == "result" and (self / "a").read_text() == "new":
            raise OSError(errno.EBUSY, "Device or resource busy")
        return rename(self, target)

    def replace() -> None:
        with replacing(tmp_path / "result") as part:
            fill(part, "new")

    monkeypatch.setattr(Path, "rename", busy)
    with pytest.raises(OSError, match="busy"):
        replace()
    assert (tmp_path / "result" / "b").read_text() == "old"
    assert list(tmp_path.iterdir()) == [tmp_path / "result"]


def test_a_failed_body_leaves_the_old_folder(tmp_path: Path) -> None:
    fill(tmp_path / "result", "old")

    def fail() -> None:
        with replacing(tmp_path / "result") as part:
            fill(part, "new")
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space") as caught:
        fail()
    assert caught.value.filename == str(tmp_path / "result")
    assert (tmp_path / "result" / "b").read_text() == "old"
    assert list(tmp_path.iterdir()) == [tmp_path / "result"]


def many_times(path: Path, text: str) -> None:
    for _ in range(50):
        with replacing(path) as part:
            fill(part, text)


def test_two_processes_may_write_one_folder(tmp_path: Path) -> None:
    """Either the one or the other is there in the end, whole."""
    path = tmp_path / "result"
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=many_times, args=(path, text)) for text in ("one", "two")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert (path / "a").read_text() == (path / "b").read_text()
    assert list(tmp_path.iterdir()) == [path]
