"""Any 2D training set of the Cell Tracking Challenge (doi:10.1038/s41592-023-01879-y)."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Int32

from unet_exp.datasets.cache import ArrayStore, cache_folder
from unet_exp.datasets.download import require_data
from unet_exp.datasets.every_file import read_every
from unet_exp.datasets.labels.files import read_labels
from unet_exp.datasets.labels.numbering import renumber
from unet_exp.datasets.sample import Sample, check_split, require_channels, require_size
from unet_exp.datasets.sequences import Sequence2D, find_sequences
from unet_exp.datasets.unannotated import fill_in, mark_unknown
from unet_exp.images.reading import read_images
from unet_exp.ranges import require_choice, require_range

ANNOTATIONS = ("gold", "silver", "gold+silver")
PLAIN_NAME = re.compile(r"\w[\w+-]*(\.[\w+-]+)*")
"""Pattern of names: those of the challenge, and any other that is not a path."""
BORDERS = {
    50: (
        "DIC-C2DH-HeLa", "Fluo-C2DL-Huh7", "Fluo-C2DL-MSC", "Fluo-N2DH-GOWT1", "PhC-C2DH-U373",
    ),
    25: ("Fluo-N2DL-HeLa", "PhC-C2DL-PSC"),
}  # fmt: skip
"""Width in pixels of the border outside the challenge's "field of interest". Cells entirely in this
border are not annotated (the challenge's "Naming and file content conventions")."""
SITE = "http://data.celltrackingchallenge.net/training-datasets"


class CellTracking:
    """Frames of a training set, with gold or silver masks, split by sequence.

    Validation takes the frames with a gold mask, or with a silver one in a sequence without gold.
    There is no test split, because the challenge does not publish those masks. Cells that a frame's
    mask leaves out are unknown (-1), see `unet_exp.datasets.unannotated`. A sample's markers are
    those of the frame's tracking (TRA), if there are any.

    Parameters
    ----------
    name
        The folder in ``data_dir``, named as in the challenge, such as "DIC-C2DH-HeLa".
    data_dir
        The folder that holds the folders of data sets.
    url
        Where the set is downloaded from. The default is the challenge's own address.
    sha256
        The checksum of the download; another file is refused. None: any file.
    download
        Whether a set that is not in ``data_dir`` is downloaded.
    fold
        Fold k validates on the k-th sequence (from 0, in the order of names) and trains on the
        others.
    annotations
        The training frames: "gold" (those with a gold mask, as in the article), "silver" (those
        with a silver mask), or "gold+silver" (all; cells that gold leaves out come from silver).
    border
        Unlabelled pixels within this distance of the border, in pixels, are unknown: neither learnt
        nor scored. None means the challenge's value for its sets (``BORDERS``), and 0 for others.
    archive_limit
        GiB that a downloaded archive may unpack to.
    normalization
        See `unet_exp.images.scaling.find_scaling`.
    object_diameter
        Median diameter in pixels that the objects have for the network. Images and labels are
        resized accordingly. If it is not given, the plan decides.
    in_channels, num_classes
        Channels of the images, and classes of the labels, background included.
    memory_limit
        GiB of arrays to keep in memory; further ones are memory-mapped from the cache.
    """

    def __init__(
        self,
        name: str = "",
        data_dir: str = "data",
        url: str | None = None,
        sha256: str | None = None,
        download: bool = True,
        archive_limit: float = 64.0,
        fold: int = 0,
        annotations: str = "gold",
        border: int | None = None,
        normalization: str = "zscore",
        object_diameter: float | None = None,
        in_channels: int = 1,
        num_classes: int = 2,
        memory_limit: float = 4.0,
    ) -> None:
        if not name:
            raise ValueError(
                "dataset.name is not given. Name a training set of the Cell Tracking Challenge, "
                "such as dataset.name=Fluo-N2DH-GOWT1."
            )
        if not PLAIN_NAME.fullmatch(name):
            raise ValueError(
                f"dataset.name={name} is not a plain name. Give the name of a folder in data_dir, "
                "without a path."
            )
        require_choice("dataset.annotations", annotations, ANNOTATIONS)
        self.name, self.in_channels, self.num_classes = name, in_channels, num_classes
        self.annotations, self.normalization = annotations, normalization
        self.border = challenge_border(name) if border is None else border
        require_range(0, **{"dataset.border": self.border})
        self.object_diameter = object_diameter
        self.folder = Path(data_dir).expanduser() / name
        require_data(
            self.folder,
            lambda folder: bool(find_sequences(folder)),
            "sequences with masks (01/t000.tif with 01_GT/SEG or 01_ST/SEG)",
            url or f"{SITE}/{name}.zip",
            sha256,
            download,
            archive_limit,
        )
        sequences = find_sequences(self.folder)
        if not 0 <= fold < len(sequences) or len(sequences) < 2:
            names = ", ".join(s.name for s in sequences)
            raise ValueError(
                f"dataset.fold={fold} does not exist: {self.folder} has {len(sequences)} annotated "
                f"sequence(s) ({names}). A fold validates on one of at least two, counted from 0."
            )
        self.folds = len(sequences)
        self.validation_sequence = sequences.pop(fold)
        self.training_sequences = sequences
        self._store = ArrayStore(cache_folder(Path(data_dir)), memory_limit)
        self._splits: dict[str, list[Sample]] = {"test": []}

    def split(self, name: str) -> Sequence[Sample]:
        """Return "train", "validation" or "test" (empty); files are read at the first call."""
        check_split(name)
        if name not in self._splits:
            if name == "train":
                chosen = [(s, n) for s in self.training_sequences for n in self._training_frames(s)]
            else:
                validation = self.validation_sequence
                chosen = [(validation, n) for n in sorted(validation.gold or validation.silver)]
            self._splits[name] = read_every(chosen, lambda frame: self._read(*frame, name))
        return self._splits[name]

    def _training_frames(self, sequence: Sequence2D) -> list[int]:
        masks = {"gold": sequence.gold, "silver": sequence.silver}
        frames = {n for kind in self.annotations.split("+") for n in masks[kind]}
        if not frames:
            raise ValueError(
                f"Sequence {sequence.name} of {self.folder} has no {self.annotations} masks. "
                f"It has {len(sequence.gold)} gold and {len(sequence.silver)} silver ones: choose "
                "others by dataset.annotations."
            )
        return sorted(frames)

    def _read(self, sequence: Sequence2D, number: int, split: str) -> Sample:
        if number not in sequence.frames:
            raise ValueError(
                f"{self.folder / sequence.name} has no frame {number}, for which there is a mask. "
                "Unzip the training set again."
            )
        path = sequence.frames[number]
        image = self._read_image(path)
        gold, silver, markers = (
            _read_mask(files[number], path, image.shape[1:]) if number in files else None
            for files in (sequence.gold, sequence.silver, sequence.markers)
        )
        only_silver = split == "train" and self.annotations == "silver"
        labels = silver if gold is None or only_silver else gold
        if labels is None:
            raise ValueError(f"Frame {number} of {self.folder / sequence.name} has no mask.")
        if split == "train" and self.annotations == "gold+silver" and silver is not None:
            labels = fill_in(labels, markers, silver)
        labels = self._without_border(mark_unknown(labels, markers, silver))
        keep = self._store.keep
        return Sample(
            f"{sequence.name}_{path.stem}",
            keep(image),
            keep(labels),
            path=path,
            markers=None if markers is None else keep(self._without_border(markers)),
        )

    def _read_image(self, path: Path) -> np.ndarray:
        pages = read_images(path, self.normalization)
        if len(pages) > 1:
            raise ValueError(
                f"{path} has {len(pages)} slices, but only 2D sets of the challenge are supported. "
                "Choose a set with 2D in its name."
            )
        require_channels(path, len(pages[0]), self.in_channels)
        return pages[0]

    def _without_border(self, mask: Int32[np.ndarray, "h w"]) -> Int32[np.ndarray, "h w"]:
        """Mark background near the border as unknown."""
        if not self.border:
            return mask
        inside = np.zeros(mask.shape, bool)
        inside[self.border : -self.border, self.border : -self.border] = True
        return np.where(~inside & (mask == 0), np.int32(-1), mask)


def challenge_border(name: str) -> int:
    """Return the width in pixels of the border that the challenge leaves out for a set.

    >>> challenge_border("Fluo-N2DL-HeLa"), challenge_border("my-cells")
    (25, 0)
    """
    return next((border for border, names in BORDERS.items() if name in names), 0)


def _read_mask(path: Path, frame: Path, size: tuple[int, ...]) -> Int32[np.ndarray, "h w"]:
    pages = read_labels(path)
    if len(pages) > 1:
        raise ValueError(
            f"{path} has {len(pages)} pages, and its frame is one image. Unzip the training set "
            "again, or save the page that is the mask as a file of its own."
        )
    require_size(frame, size, path, pages[0].shape)
    return renumber(pages[0])
