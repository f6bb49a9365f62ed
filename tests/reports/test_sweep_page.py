import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.drawn_sweep import write

from unet_exp.records.sweep import read_sweep
from unet_exp.reports.sweep_page import content, group_address, page, pictures, write_page

STRANGE = """name='</script><script>alert("x")</script>{{title}}'"""


def change(drawn: Path, **facts: Any) -> None:
    write(drawn / "sweep.json", {**json.loads((drawn / "sweep.json").read_text()), **facts})


def held(text: str) -> dict[str, Any]:
    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
    return json.loads(data)


def test_the_page_holds_everything_and_asks_for_nothing(drawn: Path) -> None:
    text = write_page(read_sweep(drawn)).read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert "{{" not in text
    assert not re.findall(
        r"<(?:script|img|iframe)[^>]* src=\"(?!data:)|<link[^>]*href=\"(?!data:)", text
    )
    assert "default-src 'none'" in text
    data = held(text)
    assert [job["rank"] for job in data["jobs"]] == [3, 1, 4, 2, None, None, None]
    assert [job["good"] for job in data["jobs"][:4]] == [
        pytest.approx(1 / 3),
        1,
        0,
        pytest.approx(2 / 3),
    ]
    assert [job["share"] for job in data["jobs"][:4]] == [0.5, 1, 0, 0.75]
    assert data["curves"] == ["val/seg", "lr", "val/loss", "train/loss"]
    assert data["counts"] == {"running": 1, "failed": 1, "finished": 4, "waiting": 1}


def test_settings_are_drawn_by_what_they_are(drawn: Path) -> None:
    overrides = [
        ["model.depth=3", "optimizer.lr=1e-4", "loader.tile=64", "augmentation=paper", "seed=0"],
        ["model.depth=4", "optimizer.lr=0.01", "loader.tile=128", "augmentation=none", "seed=0"],
    ]
    jobs = [{"folder": str(n), "overrides": words} for n, words in enumerate(overrides)]
    change(drawn, jobs=jobs, parameters=[], log=["loader.tile", "augmentation"])
    kinds = {
        s["key"]: (s["numeric"], s["log"], s["varied"])
        for s in content(read_sweep(drawn))["settings"]
    }
    assert kinds == {
        "model.depth": (True, False, True),
        "optimizer.lr": (True, True, True),  # two decades
        "loader.tile": (True, True, True),  # listed
        "augmentation": (False, False, True),  # no number, though listed
        "seed": (True, False, False),
    }


def test_an_override_cannot_inject(drawn: Path) -> None:
    folder = drawn.rename(drawn.with_name("<b>{{data}}"))
    change(folder, jobs=[{"folder": "0", "overrides": [STRANGE]}])
    text = page(read_sweep(folder))
    assert "<script>alert" not in text
    assert text.count("<script") == text.count("</script>")
    assert "<h1>hela/&lt;b&gt;{{data}}</h1>" in text
    (job,) = held(text)["jobs"]
    assert job["values"][-1] == STRANGE[6:-1]
    assert shlex.split(job["command"])[-1] == STRANGE


def test_no_character_of_a_strangers_file_acts_on_the_page(drawn: Path) -> None:
    active = "\u202e\x1b[31m\u200b\x00"
    jobs = [{"folder": "0", "overrides": [f"model.{active}name=a{active}", f"tags=b{active}"]}]
    change(drawn, jobs=jobs, parameters=[f"model.{active}name"], sweeper=active, monitor=active)
    summary = json.loads((drawn / "0/summary.json").read_text())
    write(drawn / "0/summary.json", {**summary, "error": active, "state": "failed"})
    text = page(read_sweep(drawn))
    assert not [c for c in "\u202e\x1b\u200b\x00" if c in text]
    strings = re.findall(r'"(?:[^"\\\\]|\\\\.)*"', json.dumps(held(text)))
    assert not [one for one in map(json.loads, strings) if set(one) & set(active) - set("[31m")]
    assert "\\\\u202e\\\\x1b[31m" in text


def test_a_job_is_reproduced_without_words_of_the_sweep(drawn: Path) -> None:
    words = [
        "dataset=hela", "-m", "hydra/launcher=ray", "hydra.launcher.n=2", "++hydra.x=1",
        "sweep=folds", "+sweep=folds", "sweep.resume=a", "model.depth=3,4",
        "sweeper=mine", "+trainer.x='a b'",
    ]  # fmt: skip
    change(drawn, words=words)
    job = content(read_sweep(drawn))["jobs"][1]
    assert shlex.split(job["command"]) == [
        "python", "train.py", "dataset=hela", "sweeper=mine", "+trainer.x='a b'",
        "model.depth=4", "optimizer.lr=0.001", "seed=0",
    ]  # fmt: skip


def test_the_same_image_from_the_best_job_to_the_worst(drawn: Path) -> None:
    ((name, images),) = pictures(read_sweep(drawn))
    assert name == "cell"
    assert [image["title"].split(":")[0] for image in images] == [
        "Job 1",
        "Job 3",
        "Job 0",
        "Job 2",
    ]
    assert images[0]["source"].startswith("data:image/webp;base64,")


def test_the_verdict_names_the_best_job(drawn: Path) -> None:
    expected = "Job 1 (depth=4 lr=0.001 seed=0): SEG 0.7500, the best of 4 finished jobs."
    assert expected in page(read_sweep(drawn))


def test_folds_and_seeds_are_means(drawn: Path) -> None:
    group = content(read_sweep(drawn))["repeats"][1]
    assert (group["label"], group["jobs"]) == ("depth=3  lr=0.001", [0, 3])
    assert group["mean"]["val/seg"] == 0.5625


@pytest.mark.parametrize("jobs", [[], [{"folder": "6", "overrides": []}]])
def test_a_sweep_without_finished_jobs_has_a_page_too(drawn: Path, jobs: list[Any]) -> None:
    change(drawn, jobs=jobs, parameters=[])
    data = held(page(read_sweep(drawn)))
    assert (len(data["jobs"]), data["repeats"]) == (len(jobs), [])


@pytest.mark.parametrize(
    ("run", "address"),
    [
        ({"url": "https://w.example/a/b/runs/c", "group": "s", "mode": "online"}, "https://w.example/a/b/groups/s"),
        ({"url": "https://w.example/a/b/runs/c", "group": "s", "mode": "offline"}, None),
        ({"url": "javascript:alert(1)/runs/c", "group": "s", "mode": "online"}, None),
        ({"url": None, "group": "s", "mode": "online"}, None),
        ({"url": "https://w.example/a/b/runs/c", "mode": "online"}, None),
    ],
)  # fmt: skip
def test_only_a_group_that_is_online_has_an_address(
    drawn: Path, run: dict[str, str | None], address: str | None
) -> None:
    write(drawn / "0" / "summary.json", {"state": "finished", "wandb": run})
    assert group_address(read_sweep(drawn)) == address
