"""What the project takes from torchrun: its variables, its error file and its report."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError, ProcessFailure

from unet_exp.training import torchrun

#: Prints what a process of torchrun knows, and exchanges a text through its store.
PROCESS = """
import json, os
from pathlib import Path
from omegaconf import OmegaConf
from unet_exp.training import torchrun

if torchrun.rank() == 0:
    torchrun.share(OmegaConf.create({"seed": 7}), Path("run"))
cfg, folder = torchrun.receive()
known = [torchrun.started_by_torchrun(), torchrun.is_one_of_several(), torchrun.rank()]
known += [torchrun.world_size(), torchrun.local_world_size(), cfg.seed, str(folder)]
Path(f"{torchrun.rank()}.json").write_text(json.dumps(known))
"""


@pytest.mark.parametrize("processes", [1, 2])
def test_torchrun_sets_the_variables_that_are_read(tmp_path: Path, processes: int) -> None:
    (tmp_path / "process.py").write_text(PROCESS)
    subprocess.run(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--standalone"),
            *(f"--nproc-per-node={processes}", "process.py"),
        ],
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=True,
    )
    known = [json.loads((tmp_path / f"{rank}.json").read_text()) for rank in range(processes)]
    several = processes > 1
    assert known == [
        [True, several, rank, processes, processes, 7, "run"] for rank in range(processes)
    ]


def test_without_torchrun_a_process_is_the_only_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TORCHELASTIC_RUN_ID", "RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    assert not torchrun.started_by_torchrun()
    assert (torchrun.rank(), torchrun.world_size()) == (0, 1)


def test_torchrun_reads_the_error_that_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "error.json"
    monkeypatch.setenv(torchrun.ERROR_FILE, str(path))
    monkeypatch.setenv("WORLD_SIZE", "2")
    torchrun.write_error("The loss is not finite.", "Traceback")
    first = ProcessFailure(local_rank=0, pid=1, exitcode=1, error_file=str(path))
    # torch takes the whole entry for the message.
    entry: Any = first.message
    assert entry["message"] == torchrun.read_error(path) == "The loss is not finite."
    # The error of a process that only lost its neighbour is dated later.
    torchrun.write_error("Gloo: connection closed by peer", "Traceback")
    second = ProcessFailure(local_rank=1, pid=2, exitcode=1, error_file=str(path))
    assert ChildFailedError("job", {0: first, 1: second}).get_first_failure()[0] == 0
    assert ChildFailedError("job", {0: second, 1: first}).get_first_failure()[0] == 1


def test_the_report_of_torchrun_names_the_signal() -> None:
    killed = ProcessFailure(local_rank=0, pid=1, exitcode=-9, error_file="none")
    assert torchrun.killing_signal(str(ChildFailedError("job", {0: killed}))) == 9
    failed = ProcessFailure(local_rank=0, pid=1, exitcode=1, error_file="none")
    assert torchrun.killing_signal(str(ChildFailedError("job", {0: failed}))) is None
