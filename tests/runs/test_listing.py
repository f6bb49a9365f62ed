from pathlib import Path

import pytest

from unet_exp.runs.listing import find_runs


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    for job in ("10", "2", "0"):
        (tmp_path / job / ".hydra").mkdir(parents=True)
        (tmp_path / job / "train.log").touch()
    (tmp_path / "evaluation" / ".hydra").mkdir(parents=True)
    (tmp_path / "2" / "checkpoints").mkdir()
    (tmp_path / "2" / "summary.json").write_text('{"state": "interrupted"}')
    (tmp_path / "0" / "summary.json").write_text("{")
    (tmp_path / "2" / ".hydra" / "overrides.yaml").write_text("- seed=1\n- dataset=hela\n")
    return tmp_path


def test_the_jobs_of_a_sweep_in_their_order(sweep: Path) -> None:
    runs = find_runs(str(sweep))
    assert list(runs) == ["0", "2", "10"]
    assert [run.state() for run in runs.values()] == ["", "interrupted", ""]
    assert [r.read_overrides() for r in runs.values()] == [[], ["seed=1", "dataset=hela"], []]
    assert runs["2"].best == sweep / "2" / "checkpoints" / "best.ckpt"


def test_a_list_of_runs_keeps_its_order(sweep: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(sweep)
    assert list(find_runs([2, 0])) == ["2", "0"]
    assert [run.path for run in find_runs(2).values()] == [Path("2")]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["2", "2"], "names a run twice"),
        (["2", "."], "names a run twice"),
        ([], "names no run"),
        ("elsewhere", "No run folder at elsewhere. Runs lie in outputs/runs/NAME/STAMP"),
        ("evaluation", "evaluation is neither a run nor a sweep"),
    ],
)
def test_paths_without_a_run_are_refused(
    sweep: Path, monkeypatch: pytest.MonkeyPatch, given: str | list[str], words: str
) -> None:
    monkeypatch.chdir(sweep)
    with pytest.raises((ValueError, FileNotFoundError), match=words):
        find_runs(given)
