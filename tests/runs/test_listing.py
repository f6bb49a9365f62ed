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
    assert [run.name for run in runs] == ["0", "2", "10"]
    assert [run.state for run in runs] == ["", "interrupted", ""]
    assert [run.overrides for run in runs] == [[], ["seed=1", "dataset=hela"], []]
    assert runs[1].checkpoint == sweep / "2" / "checkpoints" / "best.ckpt"


def test_a_list_of_runs_keeps_its_order(sweep: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(sweep)
    assert [run.name for run in find_runs([2, 0])] == ["2", "0"]
    assert [run.folder for run in find_runs(2)] == [Path("2")]


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
def test_what_names_no_run(
    sweep: Path, monkeypatch: pytest.MonkeyPatch, given: str | list[str], words: str
) -> None:
    monkeypatch.chdir(sweep)
    with pytest.raises((ValueError, FileNotFoundError), match=words):
        find_runs(given)


def aliases(count: int) -> str:
    """A list in which each entry holds the one before twice: 2**count words."""
    lines = ["- &a0 [x, x]", *(f"- &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, count))]
    return "\n".join(["- seed=1", *lines])


@pytest.mark.parametrize(
    "text", ["[", "a: 1", "1", "[" * 100_000, "!!python/name:os.system ''", ""]
)
def test_overrides_that_cannot_be_read_are_none(sweep: Path, text: str) -> None:
    (sweep / "2" / ".hydra" / "overrides.yaml").write_text(text)
    assert find_runs(str(sweep / "2"))[0].overrides == []


def test_aliases_in_overrides_are_not_unfolded(sweep: Path) -> None:
    (sweep / "2" / ".hydra" / "overrides.yaml").write_text(aliases(60))
    assert find_runs(str(sweep / "2"))[0].overrides == ["seed=1"]


def test_merges_in_overrides_are_not_unfolded(sweep: Path) -> None:
    lines = ["- &a0 {x: y}"]
    for number in range(1, 20):
        before = ", ".join([f"*a{number - 1}"] * 10)
        lines.append(f"- &a{number} {{<<: [{before}]}}")
    (sweep / "2" / ".hydra" / "overrides.yaml").write_text("\n".join(["- seed=1", *lines]))
    assert find_runs(str(sweep / "2"))[0].overrides == ["seed=1"]
