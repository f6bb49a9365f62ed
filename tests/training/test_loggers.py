"""What W&B gets, read back from W&B's own files."""

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from wandb.proto import wandb_internal_pb2

from tests.running import TINY, Command
from unet_exp.training.loggers import has_credentials, wandb_logger


def log_records(data: bytes) -> Iterator[bytes]:
    """Split W&B's transaction log: LevelDB's log format, behind a header of 7 bytes.

    Blocks of 32 KiB hold pieces (crc, length, type): a whole record (1), or its first (2),
    middle (3) and last (4) piece; a rest of less than 7 bytes in a block is padding.
    """
    block, at, whole = 32768, 7, b""
    while at + 7 <= len(data):
        if block - at % block < 7:
            at += block - at % block
            continue
        _, length, piece = struct.unpack("<IHB", data[at : at + 7])
        whole += data[at + 7 : at + 7 + length]
        at += 7 + length
        if piece in (1, 4):
            yield whole
            whole = b""


def records(folder: Path) -> list[Any]:
    """Read every record of the one offline run in a run folder."""
    (path,) = folder.glob("wandb/offline-run-*/run-*.wandb")
    found = []
    for data in log_records(path.read_bytes()):
        record = wandb_internal_pb2.Record()
        record.ParseFromString(data)
        found.append(record)
    return found


def kind(folder: Path, name: str) -> list[Any]:
    return [getattr(r, name) for r in records(folder) if r.WhichOneof("record_type") == name]


def items(pairs: Any) -> dict[str, Any]:
    return {p.key or "/".join(p.nested_key): json.loads(p.value_json) for p in pairs}


def test_an_offline_run_holds_all_of_it(command: Command) -> None:
    words = ("logger=wandb", "logger.mode=offline", "logger.group=g", "tags=[a,b]")
    done = command("train", *TINY, *words, "hydra.run.dir=run")
    assert done.code == 0, done.err
    assert "wandb sync" in done.out
    (run,) = kind(Path("run"), "run")[:1]
    assert (run.project, run.run_group, list(run.tags)) == ("unet_exp", "g", ["a", "b"])
    assert items(run.config.update)["model"]["depth"] == 2
    history = [items(h.item) for h in kind(Path("run"), "history")]
    seen = {name: value for row in history for name, value in row.items()}
    assert "val/seg" in seen
    assert "train/loss" in seen
    assert seen["pictures/learning_curves/_type"] == "images/separated"
    assert {row["trainer/global_step"] for row in history if "val/seg" in row} == {1, 3}
    pictures = list(Path("run/wandb").rglob("*.png"))
    assert len(pictures) >= 2
    (end,) = kind(Path("run"), "exit")
    assert end.exit_code == 0


def test_a_failed_run_is_failed_in_wandb_too(command: Command) -> None:
    explode = ("optimizer=sgd", "optimizer.lr=1e30", "scheduler=constant", "trainer.max_steps=6")
    words = ("logger=wandb", "logger.mode=offline", "hydra.run.dir=run")
    assert command("train", *TINY, *explode, *words).code == 1
    (end,) = kind(Path("run"), "exit")
    assert end.exit_code == 1


def test_each_job_of_a_sweep_is_a_run(command: Command) -> None:
    words = ("logger=wandb", "logger.mode=offline", "hydra.sweep.dir=sweep")
    assert command("train", "-m", *TINY, *words, "seed=1,2").code == 0
    ids = {kind(Path("sweep") / job, "run")[0].run_id for job in "01"}
    assert len(ids) == 2


def test_credentials_are_found_in_the_environment_and_in_netrc(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert not has_credentials()
    (tmp_path / "netrc").write_text("machine api.wandb.ai login user password secret\n")
    assert has_credentials()
    (tmp_path / "netrc").write_text("machine elsewhere login user password secret\n")
    assert not has_credentials()
    monkeypatch.setenv("WANDB_API_KEY", "secret")
    assert has_credentials()


def test_an_unknown_mode_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="WANDB_MODE is on"):
        wandb_logger(tmp_path, "id", {}, mode="on")
