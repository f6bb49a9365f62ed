import json
import subprocess
import sys
import webbrowser
from pathlib import Path

import pytest

from tests.running import Command


@pytest.fixture
def swept(tmp_path: Path) -> Path:
    """A sweep of one job that was logged online."""
    run = {"url": "https://w.example/a/b/runs/c", "group": "g", "mode": "online"}
    folder = tmp_path / "hela" / "1"
    (folder / "0").mkdir(parents=True)
    jobs = [{"folder": "0", "overrides": ["seed=1"]}]
    (folder / "sweep.json").write_text(json.dumps({"monitor": "val/seg", "jobs": jobs}))
    summary = {"state": "finished", "score": 0.5, "wandb": run}
    (folder / "0" / "summary.json").write_text(json.dumps(summary))
    return folder


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that a browser was asked to show."""
    addresses: list[str] = []
    monkeypatch.setattr(webbrowser, "open", addresses.append)
    return addresses


def test_it_writes_table_and_page_and_prints_their_paths(
    command: Command, swept: Path, shown: list[str]
) -> None:
    done = command("sweep", str(swept))
    assert done.code == 0
    assert "best        job 0, val/seg 0.5000: seed=1" in done.out
    assert (swept / "sweep.csv").is_file()
    assert (swept / "sweep.html").is_file()
    assert shown == []


def test_open_shows_the_group_or_the_page(command: Command, swept: Path, shown: list[str]) -> None:
    command("sweep", str(swept), "--open")
    (swept / "0" / "summary.json").write_text('{"state": "finished", "score": 0.5}')
    command("sweep", "hela/1", "--open")
    assert shown == ["https://w.example/a/b/groups/g", (swept / "sweep.html").as_uri()]


def test_a_folder_that_is_no_sweep_is_refused(command: Command, swept: Path) -> None:
    done = command("sweep", str(swept / "0"))
    assert done.code == 1
    assert done.err.startswith(f"Error: {swept}/0 is no sweep: it holds no sweep.json.")
    assert "Traceback" not in done.err
    assert command("sweep", "nowhere").err.startswith("Error: There is no folder nowhere.")


def test_it_starts_without_torch(swept: Path) -> None:
    code = (
        "import sys; from unet_exp.commands.sweep import main\n"
        "try: main()\n"
        "finally: print({'torch', 'lightning', 'hydra', 'matplotlib'} & set(sys.modules))"
    )
    words = [sys.executable, "-c", code, str(swept)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout.endswith("set()\n")
