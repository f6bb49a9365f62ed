import json
import math
from pathlib import Path

import pytest

from unet_exp.files import to_json, write_atomically
from unet_exp.records.run_folder import RunFolder
from unet_exp.runs.summary import summary


def test_the_summary_records_how_a_run_ended(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    path = folder.summary
    with summary(folder, resumed=False, name="a") as record:
        assert json.loads(path.read_text())["state"] == "running"
        record["scores"] = {"val/seg": 0.5}
    content = json.loads(path.read_text())
    assert (content["state"], content["name"], content["scores"]) == (
        "finished",
        "a",
        {"val/seg": 0.5},
    )
    assert {"command", "host", "versions", "git_commit", "seconds"} <= set(content)


@pytest.mark.parametrize(
    ("error", "state", "told"),
    [
        (ValueError("bad"), "failed", "ValueError: bad"),
        (KeyboardInterrupt(), "interrupted", None),
    ],
)
def test_summary_is_written_when_a_run_fails(
    tmp_path: Path, error: BaseException, state: str, told: str | None
) -> None:
    folder = RunFolder(tmp_path)
    path = folder.summary
    with pytest.raises(type(error)), summary(folder, resumed=False):
        raise error
    content = json.loads(path.read_text())
    assert (content["state"], content.get("error")) == (state, told)


def test_a_folder_takes_one_run_only(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    path = folder.summary
    with summary(folder, resumed=False):
        pass
    before = path.read_text()
    with pytest.raises(FileExistsError, match="resume=true"), summary(folder, resumed=False):
        pass
    assert path.read_text() == before
    with summary(folder, resumed=True):
        pass


def test_seconds_are_those_of_all_parts(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    path = folder.summary
    write_atomically(path, '{"state": "preempted", "seconds": 100.0}')
    with summary(folder, resumed=True):
        assert json.loads(path.read_text())["seconds"] == 100.0
    assert 100.0 <= json.loads(path.read_text())["seconds"] < 200.0


def test_json_is_strict() -> None:
    assert json.loads(to_json({"a": math.nan, "b": [math.inf, 1.5]})) == {
        "a": None,
        "b": [None, 1.5],
    }


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(path, "\udc80")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
