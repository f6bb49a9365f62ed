import sys
from pathlib import Path

import pytest
from hydra.core.global_hydra import GlobalHydra

from tests.running import TINY
from unet_exp.commands import train


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of a tiny training, to be read only."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNET_EXP_CACHE", str(folder.parent / "cache"))
        patch.setenv("HYDRA_FULL_ERROR", "")
        patch.setattr(
            sys, "argv", ["train.py", *TINY, "pictures.images=0", f"hydra.run.dir={folder}"]
        )
        GlobalHydra.instance().clear()
        with pytest.raises(SystemExit) as end:
            train.main()
    assert end.value.code == 0
    return folder
