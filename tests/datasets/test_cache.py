import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from unet_exp.datasets.cache import (
    ArrayStore,
    cache_folder,
    cached_array,
    content_key,
    is_writable,
)


def test_an_array_is_computed_once(tmp_path) -> None:
    array = np.arange(6.0).reshape(2, 3)
    for mmap in (False, True):
        assert_array_equal(cached_array(tmp_path / "new", "key", lambda: array, mmap), array)

    def never() -> np.ndarray:
        raise AssertionError

    again = cached_array(tmp_path / "new", "key", never, mmap=True)
    assert isinstance(again, np.memmap)
    assert again.flags.writeable  # in memory only, for torch.from_numpy
    again[0, 0] = 99
    assert_array_equal(cached_array(tmp_path / "new", "key", never), array)
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["key.npy"]


@pytest.mark.parametrize("mmap", [False, True])
@pytest.mark.parametrize("kept", [0, 50, 200, -1])
def test_a_damaged_file_is_computed_again(tmp_path, kept, mmap, caplog) -> None:
    cached_array(tmp_path, "key", lambda: np.arange(100))
    path = tmp_path / "key.npy"
    path.write_bytes(path.read_bytes()[:kept])
    assert_array_equal(cached_array(tmp_path, "key", lambda: np.arange(100), mmap), np.arange(100))
    assert "key.npy is damaged" in caplog.text
    assert_array_equal(np.load(path), np.arange(100))


def test_an_array_that_cannot_be_cached_is_returned_after_a_warning(tmp_path, caplog) -> None:
    (tmp_path / "file").touch()
    array = cached_array(tmp_path / "file", "key", lambda: np.arange(3), mmap=True)
    assert_array_equal(array, np.arange(3))
    assert "Going on without it" in caplog.text


def test_a_failure_half_way_leaves_nothing(tmp_path, monkeypatch) -> None:
    def full(file, *_: object, **__: object) -> None:
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    cached_array(tmp_path, "key", lambda: np.arange(3))
    assert not list(tmp_path.iterdir())


def test_several_processes_at_once_leave_one_whole_file(tmp_path) -> None:
    code = (
        "import sys, numpy as np, pathlib; from unet_exp.datasets.cache import cached_array\n"
        "for i in range(20):\n"
        "    a = cached_array(pathlib.Path(sys.argv[1]), str(i), lambda: np.full(50_000, i))\n"
        "    assert (a == i).all() and a.size == 50_000\n"
    )
    run = [sys.executable, "-c", code, str(tmp_path)]
    jobs = [subprocess.Popen(run, env={**os.environ, "OMP_NUM_THREADS": "1"}) for _ in range(3)]
    assert [job.wait() for job in jobs] == [0, 0, 0]
    assert len(list(tmp_path.iterdir())) == 20


def test_keys_differ_by_content_shape_type_and_parameters() -> None:
    labels = np.zeros((4, 6), np.int32)
    keys = {
        content_key(labels, 1.0),
        content_key(labels, 2.0),
        content_key(labels + 1, 1.0),
        content_key(labels.reshape(6, 4), 1.0),
        content_key(labels.astype(np.uint32), 1.0),
        content_key("labels", 1.0),
    }
    assert len(keys) == 6
    assert content_key(labels[::2, ::2]) == content_key(labels[::2, ::2].copy())


def test_the_cache_lies_beside_the_data_unless_these_are_read_only(tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("UNET_EXP_CACHE", raising=False)
    assert cache_folder(tmp_path) == tmp_path / ".unet_exp_cache"
    tmp_path.chmod(0o555)
    try:
        assert not is_writable(tmp_path)
        assert not is_writable(tmp_path / "not" / "there")
        assert tmp_path not in cache_folder(tmp_path).parents
    finally:
        tmp_path.chmod(0o755)
    assert tmp_path not in cache_folder(tmp_path / "missing").parents
    monkeypatch.setenv("UNET_EXP_CACHE", str(tmp_path / "elsewhere"))
    assert cache_folder(tmp_path) == tmp_path / "elsewhere"
    assert not list(tmp_path.iterdir())


def test_arrays_beyond_the_limit_are_mapped(tmp_path: Path) -> None:
    store = ArrayStore(tmp_path, limit=1000 / 2**30)
    small, large = store.keep(np.ones(100)), store.keep(np.full(50, 2.0))
    assert not isinstance(small, np.memmap)
    assert isinstance(large, np.memmap)
    assert_array_equal(large, np.full(50, 2.0))
    assert isinstance(store.keep(np.ones(1)), np.memmap)
