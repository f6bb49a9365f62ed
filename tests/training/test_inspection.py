import pickle
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch

from unet_exp.training.inspection import Array, UnsafeError, inspect

Sides = tuple[int, ...]


def archive(
    folder: Path, data: bytes, storages: dict[str, bytes] | None = None, packed: int = 0
) -> Path:
    path = folder / "made.ckpt"
    with zipfile.ZipFile(path, "w", packed) as file:
        file.writestr("archive/data.pkl", data)
        file.writestr("archive/version", "3")
        for key, numbers in (storages or {}).items():
            file.writestr(f"archive/data/{key}", numbers)
    return path


def tensor_pickle(
    count: int, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]
) -> bytes:
    """What torch.save writes of one tensor of float32, with any claims about it."""

    def one(value: int) -> bytes:
        return b"J" + struct.pack("<i", value)

    def ints(values: Sides) -> bytes:
        return b"(" + b"".join(map(one, values)) + b"t"

    storage = (
        b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpu"
    )
    storage += one(count) + b"tQ"
    rest = one(offset) + ints(shape) + ints(strides) + b"\x89ccollections\nOrderedDict\n)Rt"
    return b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(" + storage + rest + b"R."


def test_the_content_of_a_checkpoint_is_read(tmp_path: Path) -> None:
    transposed = torch.zeros(2, 3, dtype=torch.float64).T
    content = {
        "epoch": 3,
        "state_dict": OrderedDict(weight=torch.zeros(4, 1, 3, 3), count=torch.tensor(5)),
        "parameter": torch.nn.Parameter(torch.zeros(7, dtype=torch.bfloat16)),
        "dtype": torch.float32,
        "nested": [{"a": (None, True, "text", 0.5)}, transposed],
    }
    path = tmp_path / "any.ckpt"
    torch.save(content, path)
    assert inspect(path) == {
        "epoch": 3,
        "state_dict": {"weight": Array((4, 1, 3, 3), 144), "count": Array((), 8)},
        "parameter": Array((7,), 14),
        "dtype": "torch.float32",
        "nested": [{"a": (None, True, "text", 0.5)}, Array((3, 2), 48)],
    }


def test_the_handmade_tensor_is_one_to_torch_too(tmp_path: Path) -> None:
    path = archive(tmp_path, tensor_pickle(4, 1, (3,), (1,)), {"0": bytes(16)})
    assert inspect(path) == Array((3,), 12)
    assert torch.equal(torch.load(path, weights_only=True), torch.zeros(3))


@pytest.mark.parametrize(
    "claims",
    [
        (5, 0, (5,), (1,)),  # more numbers than the file of the storage has
        (4, 2, (3,), (1,)),  # beyond the storage's end
        (4, 0, (2, 2), (3, 1)),
        (4, 0, (1_000_000_000,), (0,)),  # one number a billion times
        (4, -1, (2,), (1,)),
        (-4, 0, (2,), (1,)),
    ],
    ids=str,
)
def test_claims_beyond_the_numbers_are_refused(
    tmp_path: Path, claims: tuple[int, int, Sides, Sides]
) -> None:
    with pytest.raises(UnsafeError):
        inspect(archive(tmp_path, tensor_pickle(*claims), {"0": bytes(16)}))


def test_a_compressed_archive_is_refused_unread(tmp_path: Path) -> None:
    zeros = {"0": bytes(10_000_000)}
    path = archive(tmp_path, pickle.dumps({}, 2), zeros, zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 20_000
    with pytest.raises(UnsafeError, match=r"would unpack to 10000"):
        inspect(path)


def calling(module: str, name: str, argument: bytes) -> bytes:
    return b"\x80\x02c" + f"{module}\n{name}\n".encode() + b"(" + argument + b"tR."


@pytest.mark.parametrize(
    "data",
    [
        calling("builtins", "bytearray", b"J\xff\xff\xff\x7f"),  # two gigabytes of zeros
        calling("os", "system", b"X\x04\x00\x00\x00true"),
        calling("torch", "load", b"X\x01\x00\x00\x00a"),
        calling("torch", "zeros", b"J\xff\xff\xff\x7f"),
        calling("torch._utils", "_rebuild_sparse_tensor", b""),
        calling("builtins", "getattr", b""),
    ],
    ids=lambda data: data[3:30].decode(errors="replace"),
)
def test_any_name_but_those_of_plain_data_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(UnsafeError, match="names"):
        inspect(archive(tmp_path, data))


def test_a_pickle_that_fills_the_memory_with_its_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsafeError, match="claims 2147483647 values"):
        inspect(archive(tmp_path, b"\x80\x02]r\xff\xff\xff\x7f."))


def test_a_pickle_of_millions_of_values_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsafeError, match="makes more than 1000000 values"):
        inspect(archive(tmp_path, b"\x80\x04(" + b"\x8f" * 1_100_000 + b"l."))


def bomb(doublings: int) -> Any:
    lists: Any = []
    for _ in range(doublings):
        lists = [lists, lists]
    return lists


def chain(depth: int) -> Any:
    inner: Any = 0
    for _ in range(depth):
        inner = {"a": inner}
    return inner


@pytest.mark.parametrize("content", [bomb(40), chain(100)], ids=["doubled", "deep"])
def test_data_without_end_are_refused(tmp_path: Path, content: Any) -> None:
    with pytest.raises(UnsafeError, match="more than"):
        inspect(archive(tmp_path, pickle.dumps(content, 2)))


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    path = archive(tmp_path, pickle.dumps({}, 2))
    with (
        pytest.warns(UserWarning, match="Duplicate name"),
        zipfile.ZipFile(path, "a") as file,
    ):
        file.writestr("archive/data.pkl", pickle.dumps({"other": 1}, 2))
    with pytest.raises(UnsafeError, match="two files of one name"):
        inspect(path)


def test_other_archives_are_no_checkpoints(tmp_path: Path) -> None:
    path = tmp_path / "some.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a/b/data.pkl", b"")
    with pytest.raises(ValueError, match=r"no data\.pkl"):
        inspect(path)


@pytest.mark.parametrize(
    "before", [b"\x80\x02}.", b"PK\x03\x04" + bytes(60)], ids=["pickle", "zip"]
)
def test_nothing_stands_before_the_archive(tmp_path: Path, before: bytes) -> None:
    """torch and zipfile would read different parts of such a file."""
    path = tmp_path / "any.ckpt"
    torch.save({"a": torch.zeros(2)}, path)
    path.write_bytes(before + path.read_bytes())
    with pytest.raises(UnsafeError, match="bytes before its archive"):
        inspect(path)
