"""A sweep's folder drawn by hand: six jobs, one in each state that matters."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

#: Depth, learning rate, seed and score of the jobs that finished; job 1 is the best.
FINISHED = (
    (3, "0.001", 0, 0.5),
    (4, "0.001", 0, 0.75),
    (3, "0.1", 0, 0.25),
    (3, "0.001", 1, 0.625),
)


def write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))


def curve(folder: Path, last: float) -> None:
    """Four validations at steps 10 to 40 that end with a score."""
    rows = ["step,seconds,lr,val/loss,val/seg,train/loss"]
    for part in range(1, 5):
        rows.append(f"{10 * part},{part}.5,0.001,{1 / part},{last * part / 4},{2 / part}")
    write(folder / "metrics.csv", "\n".join(rows) + "\n")


def finished(folder: Path, score: float, **facts: Any) -> None:
    """A finished job, with a picture of 8 x 1600 pixels."""
    curve(folder, score)
    write(
        folder / "summary.json",
        {
            "state": "finished",
            "score": score,
            "scores": {"step": 40, "seconds": 4.5, "val/seg": score, "val/loss": 0.25},
            "monitor": "val/seg",
            "mode": "max",
            "seconds": 61.5,
            "steps": 40,
            "pictures": ["pictures/cell_step_000040.png"],
            **facts,
        },
    )
    (folder / "pictures").mkdir()
    picture = np.full((8, 1600, 3), int(255 * score), np.uint8)
    cv2.imwrite(str(folder / "pictures" / "cell_step_000040.png"), picture)


@pytest.fixture
def drawn(tmp_path: Path) -> Path:
    """Jobs 0 to 3 finished, 4 failed, 5 runs, 6 waits; 0 and 3 differ in the seed alone."""
    folder = tmp_path / "hela" / "2026-01-31_12-00-00"
    overrides = [
        [f"model.depth={depth}", f"optimizer.lr={rate}", f"seed={seed}"]
        for depth, rate, seed, _ in (
            *FINISHED,
            (9, "0.1", 1, 0),
            (4, "0.1", 0, 0),
            (4, "0.1", 1, 0),
        )
    ]
    write(
        folder / "sweep.json",
        {
            "command": "python train.py -m dataset=hela model.depth=3,4,9 optimizer.lr=0.001,0.1",
            "words": ["dataset=hela", "name='a b'", "hydra/launcher=ray", "sweep.name=x"],
            "parameters": ["model.depth", "optimizer.lr", "seed"],
            "monitor": "val/seg",
            "mode": "max",
            "sweeper": "grid",
            "started": "2026-01-31T12:00:00+00:00",
            "state": "running",
            "jobs": [
                {"folder": str(number), "overrides": words}
                for number, words in enumerate(overrides)
            ],
        },
    )
    for number, (*_, score) in enumerate(FINISHED):
        finished(folder / str(number), score)
    error = "ValueError: A side of 48 pixels <cannot> pass 9 poolings.\nPad it to 508."
    write(folder / "4" / "summary.json", {"state": "failed", "error": error, "seconds": 1.5})
    write(folder / "5" / "summary.json", {"state": "running"})
    write(
        folder / "5" / "progress.json",
        {"step": 10, "steps": 40, "seconds": 20.0, "left": 60.0, "score": 0.125},
    )
    return folder
