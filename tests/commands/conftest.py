import sys
from pathlib import Path

import pytest
from hydra.core.global_hydra import GlobalHydra

from tests.running import TINY, TINY_FILES, own_images
from unet_exp.commands import train


def trained_once(folder: Path, *words: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNET_EXP_CACHE", str(folder / "cache"))
        patch.setenv("HYDRA_FULL_ERROR", "")
        patch.setattr(sys, "argv", ["train.py", *words, "pictures.images=0"])
        GlobalHydra.instance().clear()
        with pytest.raises(SystemExit) as end:
            train.main()
    assert end.value.code == 0


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of a tiny training, to be read only."""
    folder = tmp_path_factory.mktemp("trained")
    trained_once(folder, *TINY, f"hydra.run.dir={folder}/run")
    return folder / "run"


@pytest.fixture(scope="session")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sweep folder of two folds of six small images, to be read only."""
    folder = tmp_path_factory.mktemp("sweep")
    own_images(folder / "own")
    data = ("dataset=folder", f"dataset.root={folder}/own", "dataset.fold=0,1")
    short = ("trainer.max_steps=2", "metric=[seg,iou,v_rand]")
    trained_once(folder, "-m", *TINY_FILES, *data, *short, f"hydra.sweep.dir={folder}/sweep")
    return folder / "sweep"
