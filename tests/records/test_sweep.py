import json
import os
import time
from pathlib import Path

import pytest
from tests.fixtures.drawn_sweep import write

from unet_exp.records.sweep import read_sweep


def test_each_job_is_in_the_state_that_its_files_show(drawn: Path) -> None:
    sweep = read_sweep(drawn)
    states = [job.state for job in sweep.jobs]
    assert states == ["finished"] * 4 + ["failed", "running", "waiting"]
    assert sweep.counts == {"running": 1, "failed": 1, "finished": 4, "waiting": 1}
    assert list(sweep.counts) == ["running", "failed", "finished", "waiting"]
    assert [job.name for job in sweep.unfinished] == ["4", "5", "6"]
    assert sweep.name == "hela/2026-01-31_12-00-00"


def test_the_values_that_a_job_records(drawn: Path) -> None:
    best, failed, running = (read_sweep(drawn).jobs[number] for number in (1, 4, 5))
    assert best.values == {"model.depth": "4", "optimizer.lr": "0.001", "seed": "0"}
    assert (best.score, best.seconds, best.left, best.progress) == (0.75, 61.5, None, 1)
    assert best.scores == {"val/seg": 0.75, "val/loss": 0.25}
    assert failed.error == "ValueError: A side of 48 pixels <cannot> pass 9 poolings."
    assert (running.score, running.seconds, running.left, running.progress) == (0.125, 20, 60, 0.25)


@pytest.mark.parametrize(("mode", "order"), [("max", "1302"), ("min", "2031")])
def test_only_finished_jobs_are_ranked(drawn: Path, mode: str, order: str) -> None:
    # Were it ranked, the running one would be the worst, or the best.
    content = json.loads((drawn / "sweep.json").read_text())
    write(drawn / "sweep.json", {**content, "mode": mode})
    assert "".join(job.name for job in read_sweep(drawn).ranked) == order


def test_a_job_that_writes_nothing_was_killed(drawn: Path) -> None:
    then = time.time() - 16 * 60
    for path in (drawn / "5" / "progress.json", drawn / "5" / "summary.json", drawn / "5"):
        os.utime(path, (then, then))
    assert read_sweep(drawn).jobs[5].state == "killed"
    # A sign of life anywhere in its folder.
    (drawn / "5" / "train.log").write_text("step 20")
    assert read_sweep(drawn).jobs[5].state == "running"


@pytest.mark.parametrize("number", [10**400, -(10**400), True, [1], {"a": 1}, "0.5"])
def test_values_that_are_no_numbers_are_none(drawn: Path, number: object) -> None:
    content = json.loads((drawn / "1" / "summary.json").read_text())
    wrong = {"score": number, "steps": number, "seconds": number, "scores": {"val/seg": number}}
    write(drawn / "1" / "summary.json", {**content, **wrong})
    assert read_sweep(drawn).jobs[1].scores == {}


@pytest.mark.parametrize("name", ["../../victim", "/etc", "0/../1", "", "-1", "1 ", None, 3])
def test_a_job_lies_in_a_numbered_folder_of_its_sweep(drawn: Path, name: object) -> None:
    content = json.loads((drawn / "sweep.json").read_text())
    content["jobs"][0]["folder"] = name
    write(drawn / "sweep.json", content)
    with pytest.raises(ValueError, match="is no folder of a job"):
        read_sweep(drawn)


def test_only_pictures_of_a_job_are_its_pictures(drawn: Path) -> None:
    private = drawn.parent / "private.png"
    (drawn / "1" / "pictures").mkdir(exist_ok=True)
    (drawn / "1" / "pictures" / "link.png").symlink_to(private)
    content = json.loads((drawn / "1" / "summary.json").read_text())
    own = "pictures/validation_000_step_000040.png"
    named = [str(private), "../../private.png", "pictures/link.png", own]
    write(drawn / "1" / "summary.json", {**content, "pictures": named})
    assert read_sweep(drawn).jobs[1].pictures == (drawn / "1" / own,)


@pytest.mark.parametrize("state", ["finished", "interrupted"])
def test_a_job_that_runs_when_its_sweep_has_ended_was_killed(drawn: Path, state: str) -> None:
    content = json.loads((drawn / "sweep.json").read_text())
    write(drawn / "sweep.json", {**content, "state": state})
    soon = time.time() + 5
    os.utime(drawn / "sweep.json", (soon, soon))
    assert read_sweep(drawn).jobs[5].state == "killed"
    # One that a cluster started again later writes again.
    os.utime(drawn / "5" / "progress.json", (soon + 1, soon + 1))
    assert read_sweep(drawn).jobs[5].state == "running"


@pytest.mark.parametrize("content", ["", '{"state": "fini', "[]", "\x00", '{"state": null}'])
def test_an_incomplete_file_counts_as_missing(drawn: Path, content: str) -> None:
    for name in ("summary.json", "progress.json"):
        (drawn / "5" / name).write_text(content)
    job = read_sweep(drawn).jobs[5]
    assert (job.state, job.score, job.progress) == ("running", None, 0)


def test_values_of_other_types_count_as_missing(drawn: Path) -> None:
    strange = {"state": "finished", "score": "high", "scores": [1], "wandb": [], "pictures": 3}
    write(drawn / "0" / "summary.json", strange)
    job = read_sweep(drawn).jobs[0]
    assert (job.score, job.scores, job.wandb, job.pictures) == (None, {}, {}, ())
    assert "0" not in [ranked.name for ranked in read_sweep(drawn).ranked]


def test_a_folder_that_is_no_sweep_is_refused(drawn: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"0 is no sweep: it holds no sweep\.json\. Sweeps"):
        read_sweep(drawn / "0")
    with pytest.raises(FileNotFoundError, match=r"There is no folder .*nowhere"):
        read_sweep(tmp_path / "nowhere")
    (drawn / "sweep.json").write_text('{"jobs":')
    with pytest.raises(ValueError, match=r"sweep\.json cannot be read as JSON"):
        read_sweep(drawn)


def test_a_job_that_its_scheduler_lets_wait_is_waiting(drawn: Path) -> None:
    queue = drawn / "queue.json"
    write(queue, {"waiting": {"1": "Priority", "5": "BeginTime", "6": "Resources"}})
    finished, running, unknown = (read_sweep(drawn).jobs[number] for number in (1, 5, 6))
    assert (finished.state, finished.waits_for) == ("finished", "")
    assert (running.state, running.waits_for) == ("waiting", "BeginTime")
    assert (unknown.state, unknown.waits_for) == ("waiting", "Resources")
    # The command that runs the sweep was killed a while ago.
    os.utime(queue, (time.time() - 300,) * 2)
    assert read_sweep(drawn).jobs[5].state == "running"


@pytest.mark.parametrize("content", [{}, {"waiting": [1]}, {"waiting": {"5": None}}, []])
def test_a_damaged_queue_ends_nothing(drawn: Path, content: object) -> None:
    (drawn / "queue.json").write_text(json.dumps(content))
    assert len(read_sweep(drawn).jobs) == 7
