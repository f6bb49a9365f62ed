"""The files of a Cell Tracking Challenge training set (doi:10.1038/s41592-023-01879-y)."""

import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Sequence2D:
    """The files of a sequence by frame number. Annotations may be missing.

    Frame ``01/t012.tif`` has the annotations ``01_GT/SEG/man_seg012.tif`` (gold, drawn by people),
    ``01_ST/SEG/man_seg012.tif`` (silver, merged from computed results) and
    ``01_GT/TRA/man_track012.tif`` (a marker per cell). Numbers have 3 or 4 digits.
    """

    name: str
    frames: dict[int, Path]
    gold: dict[int, Path]
    silver: dict[int, Path]
    markers: dict[int, Path]

    @classmethod
    def find(cls, folder: Path) -> "Sequence2D":
        """Find the files of the sequence whose frames are in ``folder``."""
        truth, silver = (folder.with_name(f"{folder.name}_{kind}") for kind in ("GT", "ST"))
        return cls(
            folder.name,
            _numbered(folder, "t"),
            _numbered(truth / "SEG", "man_seg"),
            _numbered(silver / "SEG", "man_seg"),
            _numbered(truth / "TRA", "man_track"),
        )


def find_sequences(folder: Path) -> list[Sequence2D]:
    """Find the sequences of a training set with frames and gold or silver masks.

    >>> find_sequences(Path("no/such/folder"))
    []
    """
    folders = sorted(p for p in folder.glob("[0-9][0-9]") if p.is_dir())
    sequences = [Sequence2D.find(p) for p in folders]
    return [s for s in sequences if s.frames and (s.gold or s.silver)]


def _numbered(folder: Path, prefix: str) -> dict[int, Path]:
    found = (
        (re.fullmatch(rf"{prefix}(\d{{3,4}})\.tiff?", p.name), p) for p in folder.glob("*.tif*")
    )
    return {int(match[1]): path for match, path in sorted(found, key=lambda f: f[1]) if match}
