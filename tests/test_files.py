"""Files and folders are written completely or not at all, even if the process is interrupted."""

import errno
import multiprocessing
import os
import tempfile
from pathlib import Path

import pytest

from unet_exp.files import (
    folder_name,
    hidden,
    inside,
    locked,
    numbering,
    read_bytes,
    read_json,
    replacing,
    require_no_links_out,
    temporary_folder,
)


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


def killed_while_it_writes(path: Path) -> None:
    with replacing(path) as part:
        if path.name == "folder":
            fill(part, "new")
        else:
            part.write_text("new")
        os._exit(9)


@pytest.mark.parametrize("name", ["file", "folder"])
def test_what_a_killed_process_left_is_removed(tmp_path: Path, name: str) -> None:
    process = multiprocessing.get_context("spawn").Process(
        target=killed_while_it_writes, args=(tmp_path / name,)
    )
    process.start()
    process.join()
    assert process.exitcode == 9
    (left,) = tmp_path.iterdir()
    mine, elsewhere = hidden(tmp_path / "other"), tmp_path / ".other.elsewhere-1-00000000.part"
    for path in (mine, elsewhere):
        path.write_text("of a process that runs, or may")
    with replacing(tmp_path / "next") as part:
        part.write_text("next")
    assert not left.exists()
    assert {path.name for path in tmp_path.iterdir()} == {"next", mine.name, elsewhere.name}


def killed_with_a_temporary_folder() -> None:
    with temporary_folder() as folder:
        (folder / "job.yaml").write_text("password")
        os._exit(9)


def test_a_temporary_folder_is_private_and_goes_even_after_a_kill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    process = multiprocessing.get_context("spawn").Process(target=killed_with_a_temporary_folder)
    process.start()
    process.join()
    (left,) = tmp_path.iterdir()
    assert (left / "job.yaml").read_text() == "password"
    with temporary_folder() as folder:
        assert list(tmp_path.iterdir()) == [folder]
        assert folder.stat().st_mode & 0o777 == 0o700
    assert list(tmp_path.iterdir()) == []


def killed_between_the_renames(path: Path) -> None:
    rename = Path.rename

    def once(self: Path, target: Path) -> Path:
        if self.suffix == ".part":
            os._exit(9)
        return rename(self, target)

    Path.rename = once  # pyright: ignore[reportAttributeAccessIssue]
    with replacing(path) as part:
        fill(part, "new")


def test_the_old_folder_outlives_a_kill_between_the_renames(tmp_path: Path) -> None:
    fill(tmp_path / "folder", "old")
    process = multiprocessing.get_context("spawn").Process(
        target=killed_between_the_renames, args=(tmp_path / "folder",)
    )
    process.start()
    process.join()
    assert process.exitcode == 9
    with replacing(tmp_path / "next") as part:
        part.write_text("next")
    left = [path for path in tmp_path.iterdir() if path.name != "next"]
    assert [(path / "b").read_text() for path in left] == ["old"]


def test_a_container_with_this_machine_s_name_has_other_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its process 1 runs, though this machine may have no process of that number."""
    monkeypatch.setattr("unet_exp.files.is_running", lambda pid: False)
    with monkeypatch.context() as there:
        (tmp_path / "link").symlink_to("pid:[1]")
        there.setattr("unet_exp.files.PROCESSES", tmp_path / "link")
        numbering.cache_clear()
        hidden(tmp_path / "a").write_text("of a process that runs")
    numbering.cache_clear()
    huge = tmp_path / f".x.{numbering()}-{9**30}-00000000.part"
    huge.write_text("of no process")
    with replacing(tmp_path / "next") as part:
        part.write_text("next")
    assert len(list(tmp_path.iterdir())) == 4


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
    """At the end, one of the two is complete."""
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


@pytest.mark.parametrize(
    "text", ["", "[1]", "{", "[" * 100_000, '{"a": ' * 100_000, "\x00"], ids=lambda text: text[:5]
)
def test_files_that_are_no_json_object_read_as_empty(tmp_path: Path, text: str) -> None:
    (tmp_path / "summary.json").write_text(text)
    assert read_json(tmp_path / "summary.json") == {}


def test_a_record_without_end_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "summary.json").open("w") as file:
        file.write('{"a": 1}')
        file.truncate(2**40)  # takes no room
    assert read_json(tmp_path / "summary.json") == {}


def test_inside_a_folder(tmp_path: Path) -> None:
    run = tmp_path / "run"
    (run / "pictures").mkdir(parents=True)
    (tmp_path / "private.png").touch()
    (run / "pictures" / "link.png").symlink_to(tmp_path / "private.png")
    (run / "pictures" / "near.png").symlink_to("other.png")
    assert inside(run, "pictures/a.png") == run / "pictures" / "a.png"
    assert inside(run, "pictures/near.png") == run / "pictures" / "near.png"
    for name in ("pictures/link.png", "../private.png", str(tmp_path / "private.png"), "a\0b"):
        assert inside(run, name) is None


@pytest.mark.parametrize("place", ["train.log", ".hydra/config.yaml", ".hydra", ".hydra/a/b"])
def test_a_link_out_of_a_folder_is_refused(tmp_path: Path, place: str) -> None:
    link = tmp_path / "run" / place
    link.parent.mkdir(parents=True)
    link.symlink_to(tmp_path / "elsewhere")
    run = tmp_path / "run"
    with pytest.raises(ValueError, match=str(link)):
        require_no_links_out(run / Path(place).parts[0], run)


def test_links_within_a_folder_and_those_of_wandb_stay(tmp_path: Path) -> None:
    run = tmp_path / "run"
    (run / "wandb" / "run" / "logs").mkdir(parents=True)
    (run / "last.ckpt").symlink_to("best.ckpt")
    (run / "wandb" / "latest-run").symlink_to("/moved/away")
    (run / "wandb" / "run" / "logs" / "debug-core.log").symlink_to("/home/me/.cache/core.log")
    for path in run.iterdir():
        require_no_links_out(path, run)
    require_no_links_out(run / "not there", run)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("hela_cpu", "hela_cpu"),
        ("2026-01-31 w0=5", "2026-01-31_w0_5"),
        ("..", "unnamed"),
        ("../../etc", "_._.._etc"),
        (".hidden", "_hidden"),
        ("a/b\\c:d", "a_b_c_d"),
        ("con", "_con"),
        ("LPT1.txt", "_LPT1.txt"),
        ("console", "console"),
        ("ends.", "ends"),
        ("", "unnamed"),
        ("\0\n\x1b[31m", "____31m"),
        ("żółć 猫 🐈 x\u0302", "żółć_猫_🐈_x\u0302"),
        ("e\u0301", "\u00e9"),
        ("\u202etxt", "_txt"),
        (3, "3"),
    ],
)
def test_any_text_gives_the_name_of_one_folder(text: object, name: str) -> None:
    assert folder_name(text) == name


def test_a_long_name_is_cut_between_letters(tmp_path: Path) -> None:
    name = folder_name("é猫🐈" * 100)
    (tmp_path / name).mkdir()
    assert set(name) == set("é猫🐈")
    assert len(name.encode()) <= 120


@pytest.fixture
def endless(tmp_path: Path) -> list[Path]:
    """A pipe that nobody writes to, and a link to a device without an end."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "device").symlink_to("/dev/zero")
    return [tmp_path / "pipe", tmp_path / "device"]


def test_pipes_and_devices_are_not_read(endless: list[Path]) -> None:
    for path in endless:
        with pytest.raises(OSError, match="no regular file"):
            read_bytes(path)
        assert read_json(path) == {}
        with pytest.raises(ValueError, match="is a pipe or a device"):
            require_no_links_out(path, Path("/"))


def test_a_lock_that_is_a_pipe_does_not_wait(endless: list[Path]) -> None:
    with locked(endless[0]):
        pass


def test_no_more_is_read_than_allowed(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    assert read_bytes(tmp_path / "a", 5) == b"12345"
    with pytest.raises(ValueError, match="more than 4 bytes"):
        read_bytes(tmp_path / "a", 4)


def test_too_deeply_nested_files_read_as_empty(tmp_path: Path) -> None:
    for deep, kept in ((49, True), (50, False), (600, False)):
        (tmp_path / "a.json").write_text('{"a": ' + "[" * deep + "]" * deep + "}")
        assert bool(read_json(tmp_path / "a.json")) is kept
