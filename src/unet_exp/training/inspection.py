"""Read what a checkpoint holds without running code from it and without reading its weights.

``torch.save`` writes a zip archive: a pickle of the content, and a file for the numbers of each
tensor. The unpickler here accepts only plain data, and puts an :class:`Array` in place of each
tensor. So checkpoints from strangers can be read: none of their code runs, and the memory is
limited by the size of the file.
"""

import io
import math
import pickle
import pickletools
import zipfile
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

#: Bytes of a number, by the name of torch's storage.
BYTES = {
    "DoubleStorage": 8, "FloatStorage": 4, "HalfStorage": 2, "BFloat16Storage": 2,
    "LongStorage": 8, "IntStorage": 4, "ShortStorage": 2, "CharStorage": 1, "ByteStorage": 1,
    "BoolStorage": 1, "UntypedStorage": 1, "ComplexFloatStorage": 8, "ComplexDoubleStorage": 16,
}  # fmt: skip
#: Largest pickle that is read, in bytes. The article's network and its optimiser take 40 kB.
LARGEST_PICKLE = 2**24
#: Largest number of operations in a pickle. Each may make a value of some hundred bytes. A
#: checkpoint of the article's network has 10,000.
MOST_OPERATIONS = 1_000_000
#: Largest number of values in a checkpoint, and their deepest nesting.
MOST_VALUES, DEEPEST = 1_000_000, 50


class UnsafeError(ValueError):
    """A checkpoint would run code, or claims more data than it holds."""


@dataclass(frozen=True)
class Array:
    """The shape of a tensor, and the bytes that it takes."""

    shape: tuple[int, ...]
    nbytes: int


@dataclass(frozen=True)
class Storage:
    """Number of values in a tensor's storage, and the bytes of each."""

    count: int
    itemsize: int


def inspect(checkpoint: Path | BinaryIO) -> Any:
    """Return the content of a checkpoint, with an :class:`Array` in place of each tensor.

    Raises
    ------
    UnsafeError
        If the file names code, is compressed, or claims more numbers or values than it holds.
    ValueError, OSError, zipfile.BadZipFile
        If it is no checkpoint. A damaged pickle may raise other exceptions, too.
    """
    if isinstance(checkpoint, Path):
        with checkpoint.open("rb") as file:
            return inspect(file)
    if not zipfile.is_zipfile(checkpoint):
        raise ValueError("no zip archive, as torch.save makes them")
    with zipfile.ZipFile(checkpoint) as archive:
        if min((member.header_offset for member in archive.infolist()), default=0):
            # torch would read the bytes before the archive, in one of its older formats.
            raise UnsafeError("there are bytes before its archive")
        sizes = stored_sizes(archive, checkpoint.seek(0, io.SEEK_END))
        names = [name for name in sizes if name.count("/") == 1 and name.endswith("/data.pkl")]
        if len(names) != 1:
            raise ValueError("it holds no data.pkl, as torch.save writes it")
        if sizes[names[0]] > LARGEST_PICKLE:
            raise UnsafeError(f"its pickle takes {sizes[names[0]]} bytes, beside the weights")
        data = archive.read(names[0])
    require_few_operations(data)
    content = _PlainUnpickler(data, sizes, names[0].removesuffix("data.pkl") + "data/").load()
    require_small(content)
    return content


def stored_sizes(archive: zipfile.ZipFile, size: int) -> dict[str, int]:
    """Return the bytes of each member of an archive of ``size`` bytes.

    Raises UnsafeError if a member is compressed, if two have the same name, or if all together are
    larger than the file.
    """
    members = archive.infolist()
    sizes = {member.filename: member.file_size for member in members}
    packed = any(member.compress_type != zipfile.ZIP_STORED for member in members)
    if packed or sum(member.file_size for member in members) > size:
        total = sum(member.file_size for member in members)
        raise UnsafeError(
            f"it has {size} bytes and would unpack to {total}; torch.save compresses nothing"
        )
    if len(sizes) < len(members):
        raise UnsafeError("it holds two files of one name")
    return sizes


def require_few_operations(data: bytes) -> None:
    """Refuse a pickle that would fill the memory, by many values or by large memo indices.

    Raises UnsafeError with the number.
    """
    for count, (operation, argument, _) in enumerate(pickletools.genops(data)):
        if count > MOST_OPERATIONS:
            raise UnsafeError(f"its pickle makes more than {MOST_OPERATIONS} values")
        puts = operation.name in ("PUT", "BINPUT", "LONG_BINPUT")
        if puts and isinstance(argument, int) and argument > len(data):
            raise UnsafeError(f"its pickle claims {argument} values in {len(data)} bytes")


class _PlainUnpickler(pickle.Unpickler):
    """Read plain data; make an :class:`Array` of a tensor, and refuse all other names."""

    def __init__(self, data: bytes, sizes: dict[str, int], folder: str) -> None:
        super().__init__(io.BytesIO(data))
        self.sizes, self.folder = sizes, folder

    def find_class(self, module: str, name: str) -> Any:
        """Return the function that replaces a name in the pickle."""
        known: dict[str, Any] = {
            "collections.OrderedDict": OrderedDict,
            "torch._utils._rebuild_tensor_v2": array,
            "torch._utils._rebuild_parameter": parameter,
            "torch.Size": tuple,
            "torch.device": device,
            # torch.save writes the names of Python 2.
            "builtins.set": set,
            "__builtin__.set": set,
            "builtins.complex": complex,
            "__builtin__.complex": complex,
        }
        whole = f"{module}.{name}"
        if whole in known:
            return known[whole]
        if module in ("torch", "torch.storage") and name in BYTES:
            return name
        if module == "torch" and is_dtype(name):
            return whole
        raise UnsafeError(f"it names {whole}, which is no plain data")

    def persistent_load(self, pid: Any) -> Storage:
        """Return the storage of a tensor, after a check that the archive holds its numbers."""
        kind, name, key, _, count = pid
        itemsize = BYTES.get(name)
        if kind != "storage" or itemsize is None or not isinstance(count, int):
            raise UnsafeError(f"it names a storage {name}, which torch does not have")
        held = self.sizes.get(f"{self.folder}{key}")
        if held is None or count < 0 or count * itemsize > held:
            raise UnsafeError(f"its storage {key} claims {count} numbers and holds {held} bytes")
        return Storage(count, itemsize)


def array(
    storage: Storage, offset: int, shape: Sequence[int], strides: Sequence[int], *_: Any
) -> Array:
    """Return an array, as ``torch._utils._rebuild_tensor_v2`` returns a tensor.

    Raises UnsafeError if the tensor reaches beyond its storage, or repeats its numbers.
    """
    count = math.prod(shape)
    last = offset + sum((side - 1) * step for side, step in zip(shape, strides, strict=True))
    if min((offset, *shape, *strides)) < 0 or (count and last >= storage.count):
        raise UnsafeError(f"a tensor of shape {tuple(shape)} reaches beyond its numbers")
    if count > storage.count:
        raise UnsafeError(f"a tensor of shape {tuple(shape)} has only {storage.count} numbers")
    return Array(tuple(shape), count * storage.itemsize)


def parameter(data: Array, *_: Any) -> Array:
    """Return an array, as ``torch._utils._rebuild_parameter`` returns a parameter."""
    return data


def device(name: object, *_: Any) -> str:
    """Return the name of a ``torch.device``; other values than text could be endless."""
    return name if isinstance(name, str) else ""


def is_dtype(name: str) -> bool:
    """Return whether torch has a dtype of this name.

    >>> is_dtype("float32"), is_dtype("load")
    (True, False)
    """
    import torch

    return isinstance(vars(torch).get(name), torch.dtype)


def require_small(content: Any) -> None:
    """Refuse data that expands without end, such as lists that contain each other many times.

    A value that occurs several times counts each time.

    Raises UnsafeError if there are more than ``MOST_VALUES``, or they are nested deeper than
    ``DEEPEST``.
    """
    waiting: list[tuple[Any, int]] = [(content, 0)]
    count = 0
    while waiting:
        value, depth = waiting.pop()
        count += 1
        if depth > DEEPEST:
            raise UnsafeError(f"its data are nested more than {DEEPEST} deep")
        if isinstance(value, dict):
            inner = [*value.keys(), *value.values()]
        elif isinstance(value, list | tuple | set):
            inner = list(value)
        else:
            continue
        if count + len(waiting) + len(inner) > MOST_VALUES:
            raise UnsafeError(f"it holds more than {MOST_VALUES} values")
        waiting += [(one, depth + 1) for one in inner]
