"""Errors of damaged files are told from errors of the disk."""

import errno
from pathlib import Path

import pytest

from unet_exp.images.errors import naming_damage


def test_a_place_before_the_beginning_of_a_file_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.nd2"
    path.write_bytes(b"damaged")
    damage = pytest.raises(ValueError, match=r"a\.nd2 cannot be read .*: copy or export it again")
    with damage, naming_damage(path), path.open("rb") as file:
        file.seek(-1)
    with damage, naming_damage(path), path.open("rb", buffering=0) as file:
        file.seek(-1)  # an OSError: [Errno 22] Invalid argument


def test_an_error_of_the_disk_keeps_its_number_and_gets_the_name(tmp_path: Path) -> None:
    path = tmp_path / "a.nd2"
    with pytest.raises(OSError, match=r"a\.nd2") as found, naming_damage(path):
        raise OSError(errno.EIO, "Input/output error")
    assert found.value.errno == errno.EIO
