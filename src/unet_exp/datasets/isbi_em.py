"""ISBI 2012 EM challenge (doi:10.3389/fnana.2015.00142): 30 slices of a fly larva's nerve cord."""

from collections.abc import Sequence
from pathlib import Path

from unet_exp.connectivity import label_components
from unet_exp.datasets.cache import ArrayStore, cache_folder
from unet_exp.datasets.download import require_data
from unet_exp.datasets.folds import fold_indices
from unet_exp.datasets.labels.files import read_labels
from unet_exp.datasets.sample import Sample, check_split, require_channels
from unet_exp.images.reading import read_images


class IsbiEm:
    """Serial-section electron microscopy; labels are the 4-connected regions inside membranes.

    Fold k of ``folds`` validates on the k-th contiguous block of the 30 annotated slices, because
    they are neighbours in one volume, and trains on the rest. The test split is the challenge's 30
    test slices; they have labels only if ``test-labels.tif`` exists.

    Parameters
    ----------
    data_dir
        The folder that holds ``isbi_em/``. There, or in a folder in it, are train-volume.tif,
        train-labels.tif and test-volume.tif.
    url
        The address of the zip to download.
    sha256
        The checksum of the zip; a file with another one is refused. None accepts any file. The
        publisher gives no checksum.
    download
        Whether a set that is not in ``data_dir`` is downloaded.
    archive_limit
        GiB that a downloaded archive may unpack to.
    fold, folds
        The slices are divided into ``folds`` blocks; the block ``fold``, from 0, validates.
    normalization
        See `unet_exp.images.scaling.find_scaling`. Each slice is normalised separately.
    object_diameter
        Median diameter in pixels that the objects have for the network. Images and labels are
        resized accordingly. If it is not given, the plan decides.
    in_channels, num_classes
        Channels of the images, and classes of the labels, background included.
    memory_limit
        GiB of arrays to keep in memory; further ones are memory-mapped from the cache.
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
        object_diameter: float | None = None,
        in_channels: int = 1,
        num_classes: int = 2,
        memory_limit: float = 4.0,
    ) -> None:
        self.in_channels, self.num_classes = in_channels, num_classes
        self.fold, self.folds, self.normalization = fold, folds, normalization
        self.object_diameter = object_diameter
        self.folder = Path(data_dir).expanduser() / self.name
        require_data(
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
        volume = "test" if name == "test" else "train"
        if volume not in self._volumes:
            self._volumes[volume] = self._read(volume)
        slices = self._volumes[volume]
        if name == "test":
            return slices
        train, validation = fold_indices(len(slices), self.folds, self.fold)
        return [slices[i] for i in (train if name == "train" else validation)]

    def _read(self, volume: str) -> list[Sample]:
        path = _find(self.folder, f"{volume}-volume")
        if path is None:
            raise FileNotFoundError(
                f"No {volume}-volume.tif in {self.folder}. Unzip the challenge's archive there."
            )
        images = read_images(path, self.normalization)
        require_channels(path, len(images[0]), self.in_channels)
        label_path = _find(self.folder, f"{volume}-labels")
        pages = read_labels(label_path) if label_path else []
        if label_path and [page.shape for page in pages] != [image.shape[1:] for image in images]:
            raise ValueError(
                f"{path} and {label_path} differ in slices or in size. Unzip the archive again."
            )
        keep = self._store.keep
        labels = [keep(label_components(page != 0)) for page in pages] or [None] * len(images)
        return [
            Sample(f"{path.stem}_{number:02d}", keep(image), label, path=path)
            for number, (image, label) in enumerate(zip(images, labels, strict=True))
        ]


def _find(folder: Path, stem: str) -> Path | None:
    """Return the TIFF of this name in a folder, or in a folder in it."""
    found = [*sorted(folder.glob(f"{stem}.tif*")), *sorted(folder.glob(f"*/{stem}.tif*"))]
    return found[0] if found else None
