"""The Python code of each page runs, in the order of the page."""

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

import unet_exp
from tests.docs.pages import ROOT, blocks, pages
from tests.running import TINY_FILES, own_images

WITH_CODE = [page for page in pages() if blocks(page, "python")]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write the files that the code of the pages reads, and make trainings short."""
    own_images(tmp_path / "my_images")
    tifffile.imwrite(tmp_path / "cells.tif", np.eye(64, dtype=np.uint8))
    stack = np.zeros((3, 64, 64), np.uint8)
    tifffile.imwrite(tmp_path / "stack.tif", stack, photometric="minisblack")
    train, evaluate = unet_exp.train, unet_exp.evaluate

    def short(*given: Any, **options: Any) -> unet_exp.Run:
        given = tuple(one for one in given if one != "target=three_class")
        return train(*given, *TINY_FILES, **{**options, "max_steps": 2, "budget": None})

    def without_pictures(run: Any, **options: Any) -> dict[str, float]:
        return evaluate(run, "pictures=0", **options)

    monkeypatch.setattr(unet_exp, "train", short)
    monkeypatch.setattr(unet_exp, "evaluate", without_pictures)
    monkeypatch.setenv("UNET_EXP_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("page", WITH_CODE, ids=lambda page: os.fspath(page.relative_to(ROOT)))
@pytest.mark.usefixtures("files")
@pytest.mark.filterwarnings("ignore:The '.*dataloader' does not have many workers")
@pytest.mark.filterwarnings("ignore:`Trainer.fit` stopped")
def test_the_code_of_a_page_runs(page: Path, request: pytest.FixtureRequest) -> None:
    names: dict[str, Any] = {}
    if any("best.ckpt" in block for block in blocks(page, "python")):
        shutil.copy(request.getfixturevalue("trained") / "checkpoints" / "best.ckpt", ".")
    for block in blocks(page, "python"):
        exec(compile(block, os.fspath(page), "exec"), names)  # noqa: S102


def test_code_was_found() -> None:
    assert {"README.md", "python.md", "tiles.md"} <= {page.name for page in WITH_CODE}
