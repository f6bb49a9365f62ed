import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from unet_exp.training.trainer import build_trainer
from unet_exp.training.whole_files import WholeFiles


@pytest.fixture
def room() -> Iterator[None]:
    """Files of at most 20 kB, as on a disk that is nearly full."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    signal.signal(signal.SIGXFSZ, before)


def test_writes_what_torch_reads(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints" / "last.ckpt"
    for step in (1, 2):
        WholeFiles().save_checkpoint({"step": step}, path)
        assert torch.load(path, weights_only=True) == {"step": step}
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.usefixtures("room")
def test_a_full_disk_leaves_the_last_good_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "last.ckpt"
    WholeFiles().save_checkpoint({"weights": torch.zeros(10)}, path)
    with pytest.raises(OSError, match="File too large"):
        WholeFiles().save_checkpoint({"weights": torch.zeros(10_000)}, path)
    assert len(torch.load(path, weights_only=True)["weights"]) == 10
    assert list(tmp_path.iterdir()) == [path]


def test_the_trainer_saves_this_way(tmp_path: Path) -> None:
    trainer = build_trainer(tmp_path, [], [], accelerator="cpu")
    assert isinstance(trainer.strategy.checkpoint_io, WholeFiles)


def test_what_could_not_be_read_again_is_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, saving = tmp_path / "last.ckpt", WholeFiles()
    states = {"Plain": {"best": torch.ones(2)}, "Odd": {"path": tmp_path}, "Size": torch.Size([3])}
    for _ in range(2):
        saving.save_checkpoint({"callbacks": states, "hook": tmp_path, "epoch": 3}, path)
    held = torch.load(path, weights_only=True)
    assert list(held) == ["epoch", "callbacks"]
    assert list(held["callbacks"]) == ["Plain", "Size"]
    assert [record.args[0] for record in caplog.records if record.args] == ["hook", "Odd"]
