"""Your own images: a folder of images and one of labels, or two multi-page TIFFs."""

import logging
from collections.abc import Sequence
from dataclasses import replace
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
from unet_exp.datasets.pairing import find_pairs, find_root, find_source, stem
from unet_exp.datasets.sample import Sample, check_split, require_channels, require_size
from unet_exp.images.nodata import parse_nodata
from unet_exp.images.reading import common_pixel_size, read_images_and_gaps
from unet_exp.images.selection import Selection

logger = logging.getLogger(__name__)
Pairs = Sequence[tuple[Path, Path | None]]
LabelPages = dict[Path, list[Numbers]]


class MixedChannelsError(Exception):
    """Images of one data set differ in channels."""


class Folder:
    """Images and labels in the folder ``root``.

    - ``images/`` and ``labels/`` hold files of the same names, or ``images.tif`` and
      ``labels.tif`` have the same number of pages.
    - ``validation/`` has the same layout. Without it, fold k of ``folds`` validates on the k-th
      contiguous block of the images in natural order of their names.
    - ``test/`` has the same layout; labels may be missing.

    Files are of any format in `unet_exp.images.formats`. Each page of a file is an image. Planes
    are channels if the file says so or if its label file has a single page. Images may differ in
    size, but not in channels.

    Parameters
    ----------
    root
        The folder that holds ``images/`` and ``labels/``.
    labels
        "instances" (a number for each object), "binary" (0 and any other), "classes" (0, 1, ...),
        or "auto", see `unet_exp.datasets.labels.kinds.infer_kind`. Negative values mean unknown,
        and so does 255 among classes. For palettes and colours see
        `unet_exp.datasets.labels.files.read_labels`.
    ignore
        Another value of labels that means unknown.
    fold, folds
        Without ``validation/``, the images are divided into ``folds`` blocks; the block ``fold``,
        from 0, validates.
    in_channels, num_classes
        Inferred if not given. If ``num_classes`` is more than 2 and ``labels`` is "auto", labels
        are classes.
    normalization
        See `unet_exp.images.scaling.find_scaling`.
    object_diameter
        Median diameter in pixels that the objects have for the network. Images and labels are
        resized accordingly. If it is not given, the plan decides.
    pixel_size
        Side of a pixel in micrometres. If it is not given, it comes from the files to train on, or
        is unknown if they differ. ``scale=auto`` of predict.py and evaluate.py compares it with
        other images.
    nodata
        A number, NaN, or a list of numbers that mean no data. Such pixels are left out of
        normalization, and their labels are unknown. If not given, a file's GDAL_NODATA tag counts.
        An empty list means that all numbers are data.
    min_is_white
        How to read TIFFs in which 0 is white: "invert", "keep" or "auto", see
        `unet_exp.images.display.Display` and, for labels,
        `unet_exp.datasets.labels.white_is_zero.WhiteIsZero`.
    series, axes, channels
        As for `unet_exp.images.selection.Selection`. If grey and colour images are mixed and
        neither ``channels`` nor ``in_channels`` is given, all are read as colours ("rgb"). Label
        files are read without these options.
    memory_limit
        GiB of arrays to keep in memory; further ones are memory-mapped from the cache.
    """

    def __init__(
        self,
        root: str = "",
        labels: str = "auto",
        ignore: int | None = None,
        fold: int = 0,
        folds: int = 5,
        normalization: str = "zscore",
        object_diameter: float | None = None,
        pixel_size: float | None = None,
        in_channels: int | None = None,
        num_classes: int | None = None,
        nodata: Any = None,
        min_is_white: str = "auto",
        series: int | None = None,
        axes: str | None = None,
        channels: Any = None,
        memory_limit: float = 4.0,
    ) -> None:
        self.root = find_root(root)
        self.name = self.root.resolve().name
        self.normalization, self._in_channels = normalization, in_channels
        self.object_diameter = object_diameter
        self.nodata, self.min_is_white = parse_nodata(nodata), min_is_white
        self._white = WhiteIsZero(min_is_white)
        options = {"series": series, "axes": axes, "channels": channels}
        self._selection = Selection.parse(options)
        self._may_mix = in_channels is None and self._selection.channels is None
        self._memory_limit = memory_limit
        self._store = ArrayStore(cache_folder(self.root), memory_limit)
        self._kind, self._ignore = labels, ignore
        self._summaries: list[LabelSummary] = []
        self._pixel_sizes: dict[Path, float | None] = {}

        pairs, held_out = find_pairs(self.root), self._pairs_in("validation")
        pages = self._read_labels([*pairs, *held_out])
        self.decoder = self._decide(pages, num_classes)
        self.num_classes = self.decoder.num_classes
        samples = self._read([*pairs, *held_out], pages)
        self.in_channels = len(samples[0].image)
        self._may_mix = False  # test images are read like these
        held_out_paths = {path for path, _ in held_out}
        train = [sample for sample in samples if sample.path not in held_out_paths]
        validation = [sample for sample in samples if sample.path in held_out_paths]
        self.folds = 1 if validation else min(folds, len(train))
        if not validation:
            train, validation = self._split_fold(train, fold)
        self._splits = {"train": train, "validation": validation}
        sizes = (self._pixel_sizes.get(sample.path) for sample in train if sample.path)
        self.pixel_size = common_pixel_size(sizes) if pixel_size is None else pixel_size
        logger.info("%s", self.describe())

    @property
    def channels(self) -> Any:
        """The option ``channels`` with which the images are read, given or inferred."""
        chosen = self._selection.channels
        return list(chosen) if isinstance(chosen, tuple) else chosen

    def split(self, name: str) -> Sequence[Sample]:
        """Return "train", "validation", or "test" (empty if there is no ``test/``)."""
        check_split(name)
        if name not in self._splits:
            pairs = self._pairs_in("test", labelled=False)
            pages = self._read_labels(pairs)
            found = self._decide(pages, self.num_classes) if pages else self.decoder
            if found.kind != self.decoder.kind:
                raise ValueError(
                    f"Labels in {self.root} are read as {self.decoder.kind}, but those in "
                    f"{self.root / 'test'} look like {found.kind}. Convert them, or set "
                    "dataset.labels for all of them."
                )
            self._splits[name] = self._read(pairs, pages)
        return self._splits[name]

    def describe(self) -> str:
        """Return a line with the images that were found, and the values that were inferred."""
        train, validation = self._splits["train"], self._splits["validation"]
        sizes = {" x ".join(map(str, s.image.shape[1:])) for s in (*train, *validation)}
        size = f"{sizes.pop()} pixels" if len(sizes) == 1 else f"{len(sizes)} sizes"
        labels = [s.labels for s in (*train, *validation) if s.labels is not None]
        instances = sum(np.unique(page[page > 0]).size for page in labels)
        values = all_values(self._summaries) if self.decoder.kind == "binary" else []
        inside = f" (inside is {' or '.join(map(str, values[:5]))})" if len(values) > 1 else ""
        unknown = any((page < 0).any() for page in labels)
        return (
            f"{self.root}: {len(train)} images to train on, {len(validation)} to validate on, "
            f"{size}, {self.in_channels} channel(s); labels read as {self.decoder.kind}{inside}, "
            f"{self.num_classes} classes, {instances} regions"
            + (", some pixels unknown (255 or negative)" if unknown else "")
            + ". To read them otherwise, set "
            "dataset.labels, dataset.num_classes or dataset.in_channels."
        )

    def _pairs_in(self, split: str, labelled: bool = True) -> Pairs:
        folder = self.root / split
        return find_pairs(folder, labelled) if find_source(folder, "images") else []

    def _read_labels(self, pairs: Pairs) -> LabelPages:
        """Read the label files, each once."""
        return read_label_files(list(dict.fromkeys(p for _, p in pairs if p)), self._white)

    def _decide(self, label_pages: LabelPages, num_classes: int | None) -> LabelDecoder:
        """Decide how to decode labels, from these pages and all pages that were read before."""
        for path, pages in label_pages.items():
            name = str(path.relative_to(self.root))
            for number, page in enumerate(pages, start=1):
                title = name if len(pages) == 1 else f"{name} page {number}"
                summary = LabelSummary.of(title, page, self._ignore, self._kind == "auto")
                self._summaries.append(summary)
        try:
            return LabelDecoder.decide(self._summaries, self._kind, num_classes, self._ignore)
        except ValueError as error:
            raise ValueError(f"In {self.root}, {error}.") from error

    def _split_fold(self, samples: list[Sample], fold: int) -> tuple[list[Sample], list[Sample]]:
        if len(samples) < 2:
            raise ValueError(
                f"{self.root} holds a single image, which cannot be split into training and "
                "validation. Add more, or put one into validation/images, with its labels in "
                "validation/labels."
            )
        train, validation = fold_indices(len(samples), self.folds, fold)
        return [samples[i] for i in train], [samples[i] for i in validation]

    def _read(self, pairs: Pairs, label_pages: LabelPages) -> list[Sample]:
        """Read images and their labels page by page."""
        try:
            read = read_every(pairs, lambda pair: self._read_pair(*pair, label_pages))
        except MixedChannelsError as error:
            read = self._read_as_colours(pairs, label_pages, str(error))
        return [sample for samples in read for sample in samples]

    def _read_as_colours(
        self, pairs: Pairs, label_pages: LabelPages, why: str
    ) -> list[list[Sample]]:
        """Read all images again, with three channels each."""
        self._selection = replace(self._selection, channels="rgb")
        self._store = ArrayStore(cache_folder(self.root), self._memory_limit)
        self._in_channels = 3
        try:
            read = read_every(pairs, lambda pair: self._read_pair(*pair, label_pages))
        except ValueError as error:
            raise ValueError(f"{why} {error}") from error
        logger.warning(
            "%s All are read as colours: grey becomes three equal channels, and transparency is "
            "dropped. For grey images, set dataset.channels=luminance.", why,
        )  # fmt: skip
        return read

    def _read_pair(
        self, path: Path, label_path: Path | None, label_pages: LabelPages
    ) -> list[Sample]:
        pages = label_pages[label_path] if label_path else None
        images = read_images_and_gaps(
            path,
            self.normalization,
            self._in_channels,
            len(pages) if pages else None,
            self.nodata,
            self.min_is_white,
            self._selection,
            lambda file: self._pixel_sizes.update({path: file.tags.pixel_size()}),
        )
        if pages is not None and len(images) != len(pages):
            raise ValueError(
                f"{path} has {len(images)} pages, {label_path} {len(pages)}. Each page of an "
                "image needs one of labels."
            )
        samples: list[Sample] = []
        for number, (image, missing) in enumerate(images):
            self._in_channels = self._in_channels or len(image)
            if self._may_mix and len(image) != self._in_channels:
                raise MixedChannelsError(
                    f"Images in {self.root} differ in channels: {path.name} has {len(image)}, "
                    f"others have {self._in_channels}."
                )
            require_channels(path, len(image), self._in_channels)
            name = stem(path) if len(images) == 1 else f"{stem(path)}_{number:03d}"
            instances = classes = None
            if pages is not None and label_path is not None:
                require_size(path, image.shape[1:], label_path, pages[number].shape)
                instances = self._store.keep(self.decoder.instances(pages[number], missing))
                classes = self.decoder.classes(pages[number], missing)
            samples.append(Sample(name, self._store.keep(image), instances, classes, path))
        return samples
