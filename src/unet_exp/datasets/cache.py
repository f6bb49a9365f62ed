"""Keep arrays in memory up to a limit; put further arrays into memory-mapped cache files."""

import hashlib
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pooch
from jaxtyping import Shaped

from unet_exp.files import replacing

logger = logging.getLogger(__name__)


def is_writable(folder: Path) -> bool:
    """Return whether files can be created in ``folder``, or in its nearest existing parent.

    The mode bits count even for root, who may write anywhere, because a read-only folder should not
    be changed.

    >>> import tempfile
    >>> is_writable(Path(tempfile.gettempdir()))
    True
    """
    folder = folder.absolute()
    while not folder.exists():
        folder = folder.parent
    return bool(folder.stat().st_mode & 0o222) and os.access(folder, os.W_OK)


def cache_folder(data_dir: Path) -> Path:
    """Return the folder for arrays computed from the data in ``data_dir``. It may not exist yet.

    It is the environment variable UNET_EXP_CACHE, else ``.unet_exp_cache`` in ``data_dir``, else
    (if the data are read-only or missing) the user's cache folder.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as data_dir:
    ...     cache_folder(Path(data_dir)).name
    '.unet_exp_cache'
    """
    if chosen := os.environ.get("UNET_EXP_CACHE"):
        return Path(chosen).expanduser()
    beside = data_dir.expanduser() / ".unet_exp_cache"
    if data_dir.expanduser().is_dir() and is_writable(data_dir) and is_writable(beside):
        return beside
    return Path(pooch.os_cache("unet_exp"))


def content_key(*parts: Any) -> str:
    """Return a sha256 of arrays (type, shape and content) and of the repr of other objects.

    >>> labels = np.eye(3, dtype=np.int32)
    >>> content_key(labels, "border", 10.0) == content_key(labels.copy(), "border", 10.0)
    True
    >>> content_key(labels, "border", 10.0) == content_key(labels, "border", 5.0)
    False
    """
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            digest.update(f"{part.dtype.str}{part.shape}".encode())
            digest.update(np.ascontiguousarray(part).data)
        else:
            digest.update(repr(part).encode())
        digest.update(b"\0")
    return digest.hexdigest()


def cached_array(
    folder: Path, key: str, compute: Callable[[], Shaped[np.ndarray, "..."]], mmap: bool = False
) -> Shaped[np.ndarray, "..."]:
    """Read the array ``folder/key.npy``, or compute it and write it there.

    Several processes may call this at once. A damaged file is computed again. If it cannot be
    written (a full disk), the computed array is returned after a warning. With ``mmap`` the array
    stays on disk.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     first = cached_array(Path(folder), "squares", lambda: np.arange(3) ** 2)
    ...     again = cached_array(Path(folder), "squares", lambda: np.zeros(3))
    >>> again.tolist()
    [0, 1, 4]
    """
    path = folder / f"{key}.npy"
    mode = "c" if mmap else None  # copy on write, so that torch takes it as writable
    if path.exists():
        try:
            return np.load(path, mmap_mode=mode, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            logger.warning("%s is damaged (%s) and is computed again.", path, error)
    array = compute()
    try:
        with replacing(path) as part, part.open("xb") as file:
            np.save(file, array, allow_pickle=False)
        return np.load(path, mmap_mode="c", allow_pickle=False) if mmap else array
    except OSError as error:
        logger.warning("Cannot keep %s in the cache (%s). Going on without it.", path, error)
        return array


class ArrayStore:
    """Keep up to ``limit`` GiB of arrays in memory, and memory-map all further arrays.

    >>> store = ArrayStore(Path("unused"), limit=1.0)
    >>> store.keep(np.arange(3)).tolist()
    [0, 1, 2]
    """

    def __init__(self, folder: Path, limit: float) -> None:
        self.folder = folder
        self.free = limit * 2**30

    def keep(self, array: Shaped[np.ndarray, "*shape"]) -> Shaped[np.ndarray, "*shape"]:
        """Return the array, or an equal memory-mapped one."""
        self.free -= array.nbytes
        if self.free >= 0:
            return array
        return cached_array(self.folder, content_key(array), lambda: array, mmap=True)
