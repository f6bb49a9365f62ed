"""The folder of a sweep from an unknown source cannot run code or write elsewhere."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.running import TINY, Command


def foreign(jobs: list[dict[str, Any]] | None = None, arguments: list[str] | None = None) -> None:
    """Write the record of a sweep into the folder ``sweep``."""
    Path("sweep").mkdir()
    words = [*TINY, "seed=0,1"]
    content = {
        "command": "python train.py -m", "arguments": arguments or words, "words": list(TINY),
        "parameters": ["seed"], "monitor": "val/seg", "mode": "max", "sweeper": "grid",
        "started": "2026-01-31", "state": "interrupted", "log": [],
        "jobs": jobs or [{"folder": "0", "overrides": ["seed=0"]}],
    }  # fmt: skip
    Path("sweep/sweep.json").write_text(json.dumps(content))


def refused(command: Command, *words: str) -> str:
    done = command("train", "sweep.resume=sweep", *words)
    assert done.code == 1
    assert done.err.startswith("Error: "), done.err
    assert done.err.count("\n") == 1, done.err
    assert not list(Path("sweep").glob("[0-9]*"))
    return done.err


EVIL = "{_target_:pathlib.Path.touch,self:{_target_:pathlib.Path,_args_:[made]}}"


@pytest.mark.parametrize(
    "word",
    [
        f"+hydra.callbacks.x={EVIL}",
        f"+metric.x={EVIL}",
        f"+trainer.options.plugins={EVIL}",
        "dataset.root=/home",
        "data_dir=/home",
        "hydra.launcher.setup=[touch made]",
        "hydra.searchpath=[file://.]",
        "--config-dir=.",
    ],
)
def test_words_that_are_not_plain_are_not_repeated(command: Command, word: str) -> None:
    foreign(arguments=[*TINY, "seed=0,1", word])
    assert "A folder may come from anybody" in refused(command)
    assert not Path("made").exists()


@pytest.mark.parametrize(
    "word", [f"+metric.x={EVIL}", "dataset.root=/home", "name='${oc.env:HOME}'"]
)
def test_words_of_jobs_that_are_not_plain_are_not_repeated(command: Command, word: str) -> None:
    foreign([{"folder": "0", "overrides": ["seed=0", word]}])
    assert "records a job with" in refused(command)
    assert not Path("made").exists()


@pytest.mark.parametrize("name", ["../../victim", "/victim", "0/../..", "a"])
def test_a_job_is_trained_in_the_folder_of_its_sweep(command: Command, name: str) -> None:
    foreign([{"folder": name, "overrides": ["seed=0"]}])
    assert "is no folder of a job" in refused(command)


@pytest.mark.parametrize("place", ["multirun.yaml", "0/train.log", "0/.hydra/config.yaml"])
def test_nothing_is_written_through_a_link(command: Command, place: str) -> None:
    foreign()
    Path("private").write_text("mine")
    link = Path("sweep", place)
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(Path("private").resolve())
    done = command("train", "sweep.resume=sweep")
    assert done.code == 1
    assert f"{place} is a link" in done.err
    assert Path("private").read_text() == "mine"


@pytest.mark.parametrize(
    "content",
    ["{}", "[]", "[" * 50_000, '{"jobs": 1}', '{"jobs": [], "_target_": "os.system"}', "\x00"],
    ids=lambda text: text[:30],
)
def test_a_record_that_cannot_be_read_is_one_message(command: Command, content: str) -> None:
    Path("sweep").mkdir()
    Path("sweep/sweep.json").write_text(content)
    assert "sweep.json cannot be read" in refused(command)


def test_a_page_shows_nothing_but_the_pictures_of_its_jobs(command: Command) -> None:
    foreign()
    Image.new("L", (8, 8), 200).save("private.png")
    job = Path("sweep/0")
    job.mkdir()
    named = [str(Path("private.png").resolve()), "../../private.png"]
    record = {"state": "finished", "score": 0.5, "scores": {"val/seg": 0.5}, "pictures": named}
    (job / "summary.json").write_text(json.dumps(record))
    done = command("sweep", "sweep")
    assert done.code == 0, done.err
    assert "data:image" not in Path("sweep/sweep.html").read_text()
    # One in the job's own folder is shown.
    (job / "pictures").mkdir()
    Image.new("L", (8, 8), 200).save(job / "pictures" / "cell_step_1.png")
    record["pictures"] = [*named, "pictures/cell_step_1.png"]
    (job / "summary.json").write_text(json.dumps(record))
    assert command("sweep", "sweep").code == 0
    assert "data:image" in Path("sweep/sweep.html").read_text()
