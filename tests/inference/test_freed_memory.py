"""Pages that are fetched from the system, counted by the system."""

import platform
import subprocess
import sys

import pytest

PAGES = """
import ctypes, resource, sys
from types import SimpleNamespace
from unet_exp.inference.freed_memory import keep_freed_memory

def older(option, value, mallopt=ctypes.CDLL(None).mallopt):
    return 0 if option == -3 and value > 2**25 else mallopt(option, value)

if "older" in sys.argv:
    ctypes.CDLL = lambda _: SimpleNamespace(mallopt=older)

def fetched():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    bytearray(2**26)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

fetched()
without = fetched()
assert keep_freed_memory()
fetched()
print(without, fetched())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc alone has this option")
@pytest.mark.parametrize("version", ["this", "older"])
def test_freed_memory_is_used_again(version: str) -> None:
    words = [sys.executable, "-c", PAGES, version]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    without, kept = map(int, done.stdout.split())
    assert kept < 0.1 * without
