import resource
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from unet_exp.training.checkpoint import read_content, read_weights
from unet_exp.training.checkpoint_io import WholeFilesIO
from unet_exp.training.trainer import TrainerSettings, build_trainer
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
        WholeFiles().save({"step": step}, path)
        assert torch.load(path, weights_only=True) == {"step": step}
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.usefixtures("room")
def test_a_full_disk_leaves_the_last_good_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "last.ckpt"
    WholeFiles().save({"weights": torch.zeros(10)}, path)
    with pytest.raises(OSError, match="File too large"):
        WholeFiles().save({"weights": torch.zeros(10_000)}, path)
    assert len(torch.load(path, weights_only=True)["weights"]) == 10
    assert list(tmp_path.iterdir()) == [path]


def test_the_trainer_saves_this_way(tmp_path: Path) -> None:
    trainer = build_trainer(tmp_path, [], [], TrainerSettings(accelerator="cpu"))
    assert isinstance(trainer.strategy.checkpoint_io, WholeFilesIO)


def test_unreadable_states_are_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path, saving = tmp_path / "last.ckpt", WholeFiles()
    states = {"Plain": {"best": torch.ones(2)}, "Odd": {"path": tmp_path}, "Size": torch.Size([3])}
    for _ in range(2):
        saving.save({"callbacks": states, "hook": tmp_path, "epoch": 3}, path)
    held = torch.load(path, weights_only=True)
    assert list(held) == ["epoch", "callbacks"]
    assert list(held["callbacks"]) == ["Plain", "Size"]
    assert [record.args[0] for record in caplog.records if record.args] == ["hook", "Odd"]


def test_states_that_the_reader_refuses_are_left_out_too(tmp_path: Path) -> None:
    """``torch.load`` takes bytes and expanded tensors, which could claim any size."""
    odd = {"bytes": bytearray(3), "wide": torch.zeros(1).expand(1000), "good": {1, 2}}
    weights = {"repeated": torch.ones(1).expand(3)}
    content = {"callbacks": odd, "config": {"a": 1}, "state_dict": weights}
    WholeFiles().save(content, tmp_path / "last.ckpt")
    assert read_content(tmp_path / "last.ckpt")["callbacks"] == {"good": {1, 2}}
    assert read_weights(tmp_path / "last.ckpt")["repeated"].tolist() == [1, 1, 1]


def test_weights_are_not_saved_twice_to_try_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved: list[Any] = []
    save = torch.save
    monkeypatch.setattr(torch, "save", lambda what, file: (saved.append(what), save(what, file)))
    weights = torch.nn.Linear(2, 2).state_dict()
    WholeFiles().save({"state_dict": weights, "mean": weights}, tmp_path / "last.ckpt")
    assert len(saved) == 1
