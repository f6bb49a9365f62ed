import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.drawn_sweep import finished, write
from unet_exp.sweeps.conclude import conclude


def said(folder: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    conclude(folder)
    return capsys.readouterr().out.splitlines()


def ended(drawn: Path, **facts: Any) -> Path:
    content = json.loads((drawn / "sweep.json").read_text())
    write(drawn / "sweep.json", {**content, "state": "finished", **facts})
    return drawn


def test_counts_the_best_job_errors_and_the_command_to_resume(
    drawn: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said(ended(drawn), capsys) == [
        "sweep       7 jobs: 1 failed, 1 killed, 4 finished, 1 waiting",
        "best        job 1, val/seg 0.7500: model.depth=4 optimizer.lr=0.001 seed=0",
        "failed      job 4: ValueError: A side of 48 pixels <cannot> pass 9 poolings. "
        f"({drawn}/4/train.log)",
        f"table       {drawn}/sweep.csv",
        f"page        {drawn}/sweep.html",
        f"to go on    python train.py -m sweep.resume={drawn}",
    ]
    assert (drawn / "sweep.csv").is_file()
    assert (drawn / "sweep.html").is_file()


def test_a_running_sweep_has_no_command_to_resume(
    drawn: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not [line for line in said(drawn, capsys) if line.startswith("to go on")]


def test_a_finished_sweep_has_no_command_to_resume(
    drawn: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(drawn / "4" / "summary.json", {"state": "pruned", "score": 0.125})
    for name in ("5", "6"):
        shutil.rmtree(drawn / name, ignore_errors=True)
        finished(drawn / name, 0.5)
    out = said(ended(drawn), capsys)
    assert out[0] == "sweep       7 jobs: 6 finished, 1 pruned"
    assert [line.split()[0] for line in out] == ["sweep", "best", "table", "page"]


def test_runs_that_wait_for_upload_are_uploaded_by_one_command(
    drawn: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = ended(drawn).rename(drawn.with_name("two words"))
    run = folder / "1" / "wandb" / "offline-run-20260131_120000-a1"
    run.mkdir(parents=True)
    line = f"W&B         offline; to upload: wandb sync '{folder}'/*/wandb/offline-run-*"
    assert line in said(folder, capsys)
    (run / "run-a1.wandb.synced").touch()
    assert line not in said(folder, capsys)


def test_where_runs_are_online_their_group_is_named(
    drawn: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = {"url": "https://w.example/a/b/runs/c", "group": "hela", "mode": "online"}
    write(drawn / "0" / "summary.json", {"state": "finished", "wandb": run})
    assert "W&B         https://w.example/a/b/groups/hela" in said(drawn, capsys)


def test_many_errors_are_counted(drawn: Path, capsys: pytest.CaptureFixture[str]) -> None:
    jobs = [{"folder": str(number), "overrides": []} for number in range(8)]
    for number in range(8):
        write(drawn / str(number) / "summary.json", {"state": "failed", "error": "E: x"})
    out = said(ended(drawn, jobs=jobs), capsys)
    assert len([line for line in out if line.startswith("failed")]) == 5
    assert "            and 3 more, which the page names" in out
