"""Your own images: a folder of images with one of labels, or two multi-page TIFFs."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from unet_exp.datasets.cache import ArrayStore, cache_folder
from unet_exp.datasets.every_file import read_every
from unet_exp.datasets.folds import fold_indices
from unet_exp.datasets.labels.decoder import LabelDecoder
from unet_exp.datasets.labels.files import read_label_files
from unet_exp.datasets.labels.kinds import all_values
from unet_exp.datasets.labels.numbering import Numbers
from unet_exp.datasets.labels.summary import LabelSummary
from unet_exp.datasets.labels.white_is_zero import WhiteIsZero
from unet_exp.datasets.pairing import find_pairs, source, stem
from unet_exp.datasets.sample import Sample, check_split
from unet_exp.images.nodata import parse_nodata
from unet_exp.images.reading import read_images_and_gaps

logger = logging.getLogger(__name__)
Pairs = Sequence[tuple[Path, Path | None]]


class Folder:
    """Images and labels that lie in ``root``.

    - ``images/`` and ``labels/`` with partners of the same name, or ``images.tif`` and
      ``labels.tif`` with as many pages;
    - ``validation/`` laid out likewise; without it, fold k of ``folds`` validates on the k-th
      contiguous block of the images in natural order of their names, since neighbours in a
      series look alike;
    - ``test/`` laid out likewise, where labels may be missing.

    Files are PNG, TIFF or NPY. Each page of a multi-page file is an image of its own; planes are
    channels where the file says so, or where its label file has a single page. Images may
    differ in size, not in channels.

    Parameters
    ----------
    labels
        "instances" (a number for each object, of any size), "binary" (0 and any other), "classes"
        (0, 1, ...), or "auto": as `unet_exp.datasets.labels.kinds.infer_kind` finds, which refuses
        files that contradict each other. Negative values mean unknown, and so does 255 among
        classes. What a file may be besides grey, says `unet_exp.datasets.labels.files.read_labels`.
    ignore
        A further value of labels that means unknown.
    in_channels, num_classes
        Inferred when not given; the attributes of these names hold what was found. With more than
        2 classes, labels are taken for classes unless ``labels`` says otherwise.
    normalization
        See `unet_exp.images.reading.normalise`.
    nodata
        A number, NaN, or a list of them that stand in images where nothing was measured: such
        pixels are left out of normalization, and their labels are unknown. When not given, what a
        file's GDAL_NODATA tag says; an empty list says that there are none.
    min_is_white
        How TIFFs are read that say that 0 is white: "invert", "keep", or "auto", see
        `unet_exp.images.display.Display`, and for labels
        `unet_exp.datasets.labels.white_is_zero.WhiteIsZero`.
    memory_limit
        GiB of arrays to keep in memory; those beyond are memory-mapped from the cache.
    """

    def __init__(
        self,
        root: str = "",
        labels: str = "auto",
        ignore: int | None = None,
        fold: int = 0,
        folds: int = 5,
        normalization: str = "zscore",
        in_channels: int | None = None,
        num_classes: int | None = None,
        nodata: Any = None,
        min_is_white: str = "auto",
        memory_limit: float = 4.0,
    ) -> None:
        if not root:
            raise ValueError(
                "dataset.root is not given. Point it at the folder that holds images/ and "
                "labels/: dataset.root=path/to/folder."
            )
        self.root = Path(root).expanduser()
        if not self.root.is_dir():
            raise FileNotFoundError(
                f"dataset.root={root} is no folder. Point it at the one that holds images/ and "
                "labels/."
            )
        self.name = self.root.resolve().name
        self.normalization, self._in_channels = normalization, in_channels
        self.nodata, self.min_is_white = parse_nodata(nodata), min_is_white
        self._white = WhiteIsZero(min_is_white)
        self._store = ArrayStore(cache_folder(self.root), memory_limit)

        pairs = find_pairs(self.root)
        held_out = self._pairs_in("validation")
        raw = self._labels([*pairs, *held_out])
        self._kind, self._ignore, self._seen = labels, ignore, list[LabelSummary]()
        self.reading = self._decide(raw, num_classes)
        self.num_classes = self.reading.num_classes
        samples = self._read([*pairs, *held_out], raw)
        self.in_channels = len(samples[0].image)
        apart = {path for path, _ in held_out}
        validation = [sample for sample in samples if sample.path in apart]
        samples = [sample for sample in samples if sample.path not in apart]
        if not validation:
            samples, validation = self._cut(samples, fold, folds)
        self._splits = {"train": samples, "validation": validation}
        logger.info("%s", self.describe())

    def split(self, name: str) -> Sequence[Sample]:
        """Return "train", "validation", or "test" (empty if there is no ``test/``)."""
        check_split(name)
        if name not in self._splits:
            pairs = self._pairs_in("test", labelled=False)
            raw = self._labels(pairs)
            found = self._decide(raw, self.num_classes) if raw else self.reading
            if found.kind != self.reading.kind:
                raise ValueError(
                    f"Labels in {self.root} are read as {self.reading.kind}, but those in "
                    f"{self.root / 'test'} look like {found.kind}. Convert them, or say what all "
                    "of them are by dataset.labels."
                )
            self._splits[name] = self._read(pairs, raw)
        return self._splits[name]

    def describe(self) -> str:
        """Say in one line what was found and inferred."""
        train, validation = self._splits["train"], self._splits["validation"]
        sizes = {" x ".join(map(str, s.image.shape[1:])) for s in (*train, *validation)}
        size = f"{sizes.pop()} pixels" if len(sizes) == 1 else f"{len(sizes)} sizes"
        labels = [s.labels for s in (*train, *validation) if s.labels is not None]
        regions = sum(np.unique(page[page > 0]).size for page in labels)
        marks = all_values(self._seen) if self.reading.kind == "binary" else []
        inside = f" (inside is {' or '.join(map(str, marks[:5]))})" if len(marks) > 1 else ""
        unknown = any((page < 0).any() for page in labels)
        return (
            f"{self.root}: {len(train)} images to train on, {len(validation)} to validate on, "
            f"{size}, {self.in_channels} channel(s); labels read as {self.reading.kind}{inside}, "
            f"{self.num_classes} classes, {regions} regions"
            + (", some pixels unknown (255 or negative)" if unknown else "")
            + ". To read them otherwise, set "
            "dataset.labels, dataset.num_classes or dataset.in_channels."
        )

    def _decide(self, raw: dict[Path, list[Numbers]], num_classes: int | None) -> LabelDecoder:
        """Decide how to read labels, from these and all that were looked at before."""
        for path, pages in raw.items():
            name = str(path.relative_to(self.root))
            for number, page in enumerate(pages, start=1):
                called = name if len(pages) == 1 else f"{name} page {number}"
                self._seen.append(LabelSummary.of(called, page, self._ignore, self._kind == "auto"))
        try:
            return LabelDecoder.decide(self._seen, self._kind, num_classes, self._ignore)
        except ValueError as error:
            raise ValueError(f"In {self.root}, {error}.") from error

    def _pairs_in(self, split: str, labelled: bool = True) -> Pairs:
        folder = self.root / split
        return find_pairs(folder, labelled) if source(folder, "images") else []

    def _cut(
        self, samples: list[Sample], fold: int, folds: int
    ) -> tuple[list[Sample], list[Sample]]:
        if len(samples) < 2:
            raise ValueError(
                f"{self.root} holds a single image, which cannot be split into training and "
                "validation. Add more, or put one into validation/images, with its labels in "
                "validation/labels."
            )
        train, validation = fold_indices(len(samples), min(folds, len(samples)), fold)
        return [samples[i] for i in train], [samples[i] for i in validation]

    def _read(self, pairs: Pairs, raw: dict[Path, list[Numbers]]) -> list[Sample]:
        """Read images and join them with their labels, page by page."""
        read = read_every(pairs, lambda pair: self._read_pair(*pair, raw))
        return [sample for samples in read for sample in samples]

    def _read_pair(
        self, path: Path, label_path: Path | None, raw: dict[Path, list[Numbers]]
    ) -> list[Sample]:
        samples: list[Sample] = []
        drawn = raw[label_path] if label_path else None
        expected = self._in_channels, len(drawn) if drawn else None
        images = read_images_and_gaps(
            path, self.normalization, *expected, self.nodata, self.min_is_white
        )
        if drawn is not None and len(images) != len(drawn):
            raise ValueError(
                f"{path} has {len(images)} pages, {label_path} {len(drawn)}. Each page of an "
                "image needs one of labels."
            )
        for number, (image, missing) in enumerate(images):
            self._check_channels(path, len(image))
            page = drawn[number] if drawn is not None else None
            if page is not None and page.shape != image.shape[1:]:
                raise ValueError(
                    f"{path} is {image.shape[1]} x {image.shape[2]} pixels, {label_path} "
                    f"{page.shape[0]} x {page.shape[1]}. Labels must be as large as the image."
                )
            name = stem(path) if len(images) == 1 else f"{stem(path)}_{number:03d}"
            samples.append(
                Sample(
                    name,
                    self._store.keep(image),
                    None
                    if page is None
                    else self._store.keep(self.reading.instances(page, missing)),
                    None if page is None else self.reading.classes(page, missing),
                    path,
                )
            )
        return samples

    def _labels(self, pairs: Pairs) -> dict[Path, list[Numbers]]:
        """Read the label files, each once."""
        paths = list(dict.fromkeys(path for _, path in pairs if path))
        return read_label_files(paths, self._white)

    def _check_channels(self, path: Path, channels: int) -> None:
        if self._in_channels is None:
            self._in_channels = channels
        if channels != self._in_channels:
            raise ValueError(
                f"{path} has {channels} channels, not {self._in_channels} as dataset.in_channels "
                "or the first image says. Convert the images to the same channels."
            )
