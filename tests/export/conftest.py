import logging
from collections.abc import Iterator
from pathlib import Path

import jaxtyping
import pytest
from omegaconf import OmegaConf

from tests.export.checkpoints import KINDS, save_checkpoint
from unet_exp.export.exported import Exported


@pytest.fixture(scope="session", params=KINDS)
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """A network of each kind, as it is read to be exported."""
    return read(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="session")
def valid(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """The unpadded network with batch norm."""
    return read("valid", tmp_path_factory.mktemp("valid"))


def read(kind: str, folder: Path) -> Exported:
    path = save_checkpoint(folder / "best.ckpt", *KINDS[kind])
    return Exported.read(path, OmegaConf.create({"trust": []}))


@pytest.fixture(autouse=True)
def _untyped() -> Iterator[None]:
    """Do not check types while a network is captured: its sizes are no whole numbers then."""
    jaxtyping.config.update("jaxtyping_disable", True)
    # pytest would format thousands of records of the capture.
    logging.getLogger("torch.__trace").propagate = False
    yield
    jaxtyping.config.update("jaxtyping_disable", False)
