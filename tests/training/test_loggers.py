"""What is sent to W&B, read back from its own files."""

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from wandb.proto import wandb_internal_pb2

from tests.running import TINY, Command
from unet_exp.training.loggers import address, has_credentials, membership, wandb_logger


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
    done = command("train", *TINY, *words, "pictures.images=1", "hydra.run.dir=run")
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


def test_each_job_of_a_sweep_is_a_run_of_its_group(command: Command) -> None:
    words = ("logger=wandb", "logger.mode=offline", "tags=[mine]", "hydra.sweep.dir=cells/monday")
    done = command("train", "-m", *TINY, *words, "seed=1,2")
    assert done.code == 0, done.err
    runs = [kind(Path("cells/monday") / job, "run")[0] for job in "01"]
    assert len({run.run_id for run in runs}) == 2
    assert {run.run_group for run in runs} == {"cells/monday"}
    assert {run.job_type for run in runs} == {"sweep"}
    assert [run.display_name for run in runs] == ["seed=1", "seed=2"]
    assert [list(run.tags) for run in runs] == [["mine", "seed=1"], ["mine", "seed=2"]]


@pytest.mark.parametrize(("metric", "summary"), [("seg", "max"), ("pixel_error", "min")])
def test_the_chosen_score_is_summed_up_at_its_best(
    command: Command, metric: str, summary: str
) -> None:
    words = ("logger=wandb", "logger.mode=offline", f"monitor.metric={metric}")
    assert command("train", *TINY, *words, "hydra.run.dir=run").code == 0
    chosen = [m for m in kind(Path("run"), "metric") if m.name == f"val/{metric}"]
    assert {name.name for m in chosen for name, on in m.summary.ListFields() if on} == {
        summary,
        "last",
    }
    rows = [items(h.item) for h in kind(Path("run"), "history")]
    best = {"max": max, "min": min}[summary](
        row[f"val/{metric}"] for row in rows if f"val/{metric}" in row
    )
    record = json.loads(Path("run/summary.json").read_text())
    assert record["scores"][f"val/{metric}"] == pytest.approx(best)


def test_a_resumed_run_keeps_its_id(command: Command) -> None:
    words = ("logger=wandb", "logger.mode=offline", "hydra.run.dir=run", "scheduler=constant")
    assert command("train", *TINY, *words).code == 0
    (first,) = Path("run/wandb").glob("offline-run-*")
    first.rename("first")
    assert command("train", *TINY, *words, "resume=true").code == 0
    (second,) = Path("run/wandb").glob("offline-run-*")
    assert second.name.rpartition("-")[2] == next(Path("first").glob("run-*.wandb")).stem[4:]


def test_the_sweep_of_a_run_is_found_from_one_file(tmp_path: Path) -> None:
    sweep = tmp_path / "hela" / "monday"
    (sweep / "0").mkdir(parents=True)
    assert membership(sweep / "0") == (None, [])
    jobs = [{"folder": "0", "overrides": ["model.depth=3"]}]
    (sweep / "sweep.json").write_text(json.dumps({"jobs": jobs}))
    assert membership(sweep / "0") == ("hela/monday", ["model.depth=3"])
    assert membership(sweep / "1") == (None, [])
    (sweep / "sweep.json").write_text('{"jobs": [')
    assert membership(sweep / "0") == (None, [])


def test_a_given_name_and_group_are_used(tmp_path: Path) -> None:
    folder = tmp_path / "hela" / "monday" / "0"
    folder.mkdir(parents=True)
    jobs = [{"folder": "0", "overrides": ["model.depth=3"]}]
    (folder.parent / "sweep.json").write_text(json.dumps({"jobs": jobs}))
    own = {"name": "mine", "group": "ours", "job_type": "trial"}
    logger = wandb_logger(folder, "id", {"name": "hela"}, mode="offline", **own)
    where = address([logger])
    assert (logger.experiment.name, logger.experiment.job_type) == ("mine", "trial")
    logger.experiment.finish()
    assert where == {
        "url": None,
        "entity": None,
        "project": "unet_exp",
        "group": "ours",
        "id": "id",
        "mode": "offline",
    }


def test_credentials_are_found_in_the_environment_and_in_netrc(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.delenv("WANDB_BASE_URL", raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert not has_credentials()
    (tmp_path / "netrc").write_text("machine api.wandb.ai login user password secret\n")
    assert has_credentials()
    (tmp_path / "netrc").write_text("machine elsewhere login user password secret\n")
    assert not has_credentials()
    monkeypatch.setenv("WANDB_BASE_URL", "https://elsewhere:8080")  # a server of one's own
    assert has_credentials()
    (tmp_path / "netrc").write_text("default login user password secret\n")
    for url in ("http://[x", "localhost:8080"):  # no host
        monkeypatch.setenv("WANDB_BASE_URL", url)
        assert not has_credentials()
    monkeypatch.delenv("WANDB_BASE_URL")
    monkeypatch.setenv("WANDB_API_KEY", "secret")
    assert has_credentials()


def test_an_unknown_mode_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="WANDB_MODE is on"):
        wandb_logger(tmp_path, "id", {}, mode="on")
