"""What is reported about an image that failed."""

import errno
from pathlib import Path

import pytest
import torch

from unet_exp.runs.failures import is_about_output, reason

PATH = Path("scans/a.tif")


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("Unable to allocate 8 EiB"),
        torch.OutOfMemoryError("CUDA out of memory."),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
        OverflowError(34, "Numerical result out of range"),
        ZeroDivisionError("division by zero"),
        KeyError("axes"),
        ValueError(""),
        OSError("codec failed"),
        OSError(errno.ENAMETOOLONG, "File name too long", "out/a_instances.tif"),
    ],
    ids=repr,
)
def test_every_failure_names_its_file_and_no_option_of_training(error: Exception) -> None:
    said = reason(PATH, error)
    assert said.startswith("scans/a.tif: ")
    assert len(said) > len("scans/a.tif: ")
    assert "batch_size" not in said


def test_a_full_disk_and_a_locked_folder_end_all_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = str(tmp_path / "a_instances.tif")
    assert is_about_output(OSError(errno.ENOSPC, "", inside), tmp_path)
    assert is_about_output(OSError(errno.EROFS, "", inside), tmp_path)
    assert not is_about_output(OSError(errno.ENAMETOOLONG, "", inside), tmp_path)
    assert not is_about_output(OSError(errno.EACCES, "", inside), tmp_path)
    assert not is_about_output(OSError(errno.EACCES, "", "scans/a.tif"), tmp_path)
    monkeypatch.setattr("os.access", lambda *_: False)
    assert is_about_output(OSError(errno.EACCES, "", inside), tmp_path)
