"""ISBI 2012 EM challenge (doi:10.3389/fnana.2015.00142): 30 slices of a fly larva's nerve cord."""

from collections.abc import Sequence
from pathlib import Path

from unet_exp.datasets.cache import ArrayStore, cache_folder
from unet_exp.datasets.download import require
from unet_exp.datasets.folds import fold_indices
from unet_exp.datasets.labels.files import read_labels
from unet_exp.datasets.labels.numbering import number_pieces
from unet_exp.datasets.sample import Sample, check_split
from unet_exp.images.reading import read_images


class IsbiEm:
    """Serial-section electron microscopy; labels are the 4-connected regions inside membranes.

    The 30 annotated slices are neighbours in one volume, so fold k of ``folds`` validates on the
    k-th contiguous block (of 6, with 5 folds) and trains on the rest. The test split is the
    challenge's 30 test slices; they have labels only where ``test-labels.tif`` is there, too.

    Parameters
    ----------
    data_dir
        Holds ``isbi_em/`` with train-volume.tif, train-labels.tif and test-volume.tif, or with
        one folder that holds them.
    url, sha256
        Where the zip is downloaded from. No checksum is published.
    normalization
        See `unet_exp.images.reading.normalise`; each slice is normalised by itself.
    archive_limit
        GiB that a downloaded archive may take when it is unpacked.
    memory_limit
        GiB of arrays to keep in memory; those beyond are memory-mapped from the cache.
    """

    name = "isbi_em"

    def __init__(
        self,
        data_dir: str = "data",
        url: str = "https://downloads.imagej.net/ISBI-2012-challenge.zip",
        sha256: str | None = None,
        download: bool = True,
        archive_limit: float = 64.0,
        fold: int = 0,
        folds: int = 5,
        normalization: str = "zscore",
        in_channels: int = 1,
        num_classes: int = 2,
        memory_limit: float = 4.0,
    ) -> None:
        self.in_channels, self.num_classes = in_channels, num_classes
        self.fold, self.folds, self.normalization = fold, folds, normalization
        self.folder = Path(data_dir).expanduser() / self.name
        require(
            self.folder,
            lambda folder: all(_find(folder, f"train-{kind}") for kind in ("volume", "labels")),
            "train-volume.tif with train-labels.tif",
            url,
            sha256,
            download,
            archive_limit,
        )
        self._store = ArrayStore(cache_folder(Path(data_dir)), memory_limit)
        self._volumes: dict[str, list[Sample]] = {}

    def split(self, name: str) -> Sequence[Sample]:
        """Return the slices of "train", "validation" or "test"; each volume is read once."""
        check_split(name)
        if name == "test":
            return self._volume("test")
        slices = self._volume("train")
        train, validation = fold_indices(len(slices), self.folds, self.fold)
        return [slices[i] for i in (train if name == "train" else validation)]

    def _volume(self, name: str) -> list[Sample]:
        if name not in self._volumes:
            self._volumes[name] = self._read(name)
        return self._volumes[name]

    def _read(self, volume: str) -> list[Sample]:
        path = _find(self.folder, f"{volume}-volume")
        if path is None:
            raise FileNotFoundError(
                f"No {volume}-volume.tif in {self.folder}. Unzip the challenge's archive there."
            )
        images = read_images(path, self.normalization)
        if len(images[0]) != self.in_channels:
            raise ValueError(
                f"{path} has {len(images[0])} channels, not {self.in_channels} as "
                "dataset.in_channels says."
            )
        truth = _find(self.folder, f"{volume}-labels")
        drawn = read_labels(truth) if truth else []
        if truth and [page.shape for page in drawn] != [image.shape[1:] for image in images]:
            raise ValueError(
                f"{path} and {truth} differ in slices or in size. Unzip the archive again."
            )
        keep = self._store.keep
        labels = [keep(number_pieces(page != 0)) for page in drawn] or [None] * len(images)
        return [
            Sample(f"{path.stem}_{number:02d}", keep(image), label, path=path)
            for number, (image, label) in enumerate(zip(images, labels, strict=True))
        ]


def _find(folder: Path, stem: str) -> Path | None:
    """Return the TIFF in the folder, or in a folder in it."""
    found = [*sorted(folder.glob(f"{stem}.tif*")), *sorted(folder.glob(f"*/{stem}.tif*"))]
    return found[0] if found else None
