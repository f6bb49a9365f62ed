"""An image larger than memory is never loaded whole. A separate process measures it."""

import os
import subprocess
import sys
from pathlib import Path

LARGE = """
import resource, sys
import numpy as np
from unet_exp.postprocessing.components import Components

SIDE = 3072

class Crosses:  # each of 100 x 100 pixels, in the corner of a lattice of 128
    shape = (2, SIDE, SIDE)
    def __getitem__(self, place):
        y, x = (np.arange(s.start, s.stop) % 128 for s in place[1:])
        inside = np.logical_or.outer(y == 5, x == 7) & np.logical_and.outer(y < 100, x < 100)
        return np.stack([~inside, inside]).astype(np.float16)

class OnDisk:  # opened for each access, so that no page stays in memory
    shape, dtype = (SIDE, SIDE), np.dtype(np.uint32)
    def __init__(self, path):
        self.path = path
        self.mapped("w+")
    def mapped(self, mode):
        return np.memmap(self.path, self.dtype, mode, shape=self.shape)
    def __getitem__(self, place):
        return np.array(self.mapped("r")[place])
    def __setitem__(self, place, value):
        self.mapped("r+")[place] = value

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

out = OnDisk(sys.argv[1])
before = peak()
count = Components().in_blocks(Crosses(), out, block=256)
print(count, peak() - before)
"""


def test_memory_holds_blocks_not_the_image(tmp_path: Path) -> None:
    run = [sys.executable, "-c", LARGE, str(tmp_path / "labels.dat")]
    done = subprocess.run(run, capture_output=True, text=True, check=True, env=dict(os.environ))
    count, grown = map(int, done.stdout.split())
    assert count == 24 * 24
    # The labels of the image have 38 MB, those of a block 0.3 MB.
    assert grown * (1 if sys.platform == "darwin" else 1024) < 20e6
