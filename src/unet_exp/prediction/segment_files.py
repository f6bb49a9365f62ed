"""From image files to result files: find the images, skip finished ones, segment, write."""

import hashlib
import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from omegaconf import DictConfig, OmegaConf

from unet_exp.configuration.objects import to_plain_data
from unet_exp.images.display import MIN_IS_WHITE
from unet_exp.images.image_file import open_image
from unet_exp.images.nodata import NoData, NotFiniteError, parse_nodata
from unet_exp.images.scaling import NORMALIZATIONS
from unet_exp.images.selection import EVERYTHING, Selection
from unet_exp.inference.freed_memory import keep_freed_memory
from unet_exp.inference.magnification import parse_scale, recorded_pixel_size, scale_between
from unet_exp.inference.predictor import Predictor
from unet_exp.packages.opened import open_trained
from unet_exp.prediction.challenge_results import CellTrackingWriter, IsbiWriter
from unet_exp.prediction.manifest import Manifest
from unet_exp.prediction.outputs.choices import (
    PROBABILITY_TYPES,
    chosen_outputs,
    require_known,
)
from unet_exp.prediction.pending import find_pending
from unet_exp.prediction.result_files import PerImageWriter, ResultWriter
from unet_exp.prediction.scratch import scratch
from unet_exp.prediction.segment import segment
from unet_exp.prediction.tracks import require_tracker
from unet_exp.ranges import require_choice
from unet_exp.runs.failures import is_about_output, reason
from unet_exp.runs.given_images import find_images, require_separate
from unet_exp.runs.given_paths import find_checkpoints, listed
from unet_exp.screen import Console, bar
from unet_exp.shown import shown

log = logging.getLogger(__name__)

CHALLENGES = ("isbi", "ctc")
FORMATS = ("auto", "tiff", "zarr", *CHALLENGES)


#: Largest number of images that a message names.
NAMED = 5
OF_DATASET = ("nodata", "min_is_white", "series", "axes", "channels")
"""Options whose default is the value of the checkpoint's data set."""


class IncompleteError(Exception):
    """Some images could not be segmented. The results of the others are written."""


class Reading(NamedTuple):
    """Settings for reading images."""

    channels: int
    normalization: str
    nodata: NoData
    min_is_white: str
    scale: float | None = 1.0
    """Factor by which images are enlarged; None means that it follows from their pixel sizes."""
    pixel_size: float | None = None
    """Side of a pixel of the training images, in micrometres."""
    selection: Selection = EVERYTHING
    prepare: Callable[[Any], Any] | None = None
    """What is done to a page (c, h, w) before it is normalised."""


def segment_files(cfg: DictConfig) -> None:
    """Write the results of each image that has none yet.

    An image that cannot be segmented or written is logged and skipped. IncompleteError names these
    images at the end.
    """
    named_outputs(cfg)
    keep_freed_memory()
    output, paths = Path(str(cfg.output)), find_images(cfg.input)
    require_separate(cfg.input, paths, output)
    checkpoints = find_checkpoints(cfg.checkpoint)
    trained = open_trained(checkpoints, cfg)
    # Other parts, such as postprocessing, refer to the target, which only the checkpoint has.
    own = (*OF_DATASET, "tta", "format", "outputs", "probability_type")
    given = to_plain_data(OmegaConf.masked_copy(cfg, list(own)))
    recorded = to_plain_data(trained.config)
    described = {name: given[name] for name in OF_DATASET}
    dataset = recorded["dataset"] | {k: v for k, v in described.items() if v is not None}
    scale, trained_pixel = parse_scale(cfg.scale), recorded_pixel_size(recorded["dataset"])
    if scale is None:
        scale_between("", 1.0, trained_pixel)  # refuses a checkpoint without a pixel size
    reading = how_to_read(dataset, trained.config.model.in_channels)
    reading = reading._replace(scale=scale, pixel_size=trained_pixel, prepare=trained.prepare)
    results = choose_writer(cfg, trained.predictor.target.num_classes, output)
    settings = {
        **unusual_settings(dataset),
        **({} if scale == 1 else {"scale": cfg.scale}),
        **({} if cfg.track == "overlap" else {"track": cfg.track}),
        "checkpoint": [hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in checkpoints],
        "normalization": reading.normalization,
        "postprocessing": {
            name: value  # results do not depend on whether it was fitted
            for name, value in to_plain_data(trained.postprocessing).items()
            if name != "fit"
        },
        **{name: given[name] for name in ("tta", "format", "probability_type")},
    }
    manifest = Manifest(output / "predict.json", settings, cfg.overwrite)
    pending, refused = find_pending(paths, results, manifest)
    manifest.forget(file for path in pending for file in results.files(path))
    output.mkdir(parents=True, exist_ok=True)
    manifest.write()
    log.info("%s", trained.describe_postprocessing())
    for message in refused.values():
        log.error("%s", message)
    debug = cfg.get("debug") is True
    segmenter = FileSegmenter(trained.predictor, reading, results, manifest, debug)
    try:
        failed = {*refused, *segmenter.run(pending)}
    finally:
        manifest.write()
    if pending and not (results.together and failed):
        for path in results.finish([path for path in paths if path not in failed]):
            log.info("%s", path)
        if results.together:
            manifest.add(results.files(paths[0]), paths)
            manifest.write()
    before = len(paths) - len(pending) - len(refused)
    done = len(paths) - before - len(failed)
    log.info(
        "%d of %d images segmented into %s%s", done, len(paths), output,
        f", {before} were there before" if before else "",
    )  # fmt: skip
    if segmenter.empty:
        names = ", ".join(shown(path.name) for path in segmenter.empty[:NAMED])
        more = ", ..." if len(segmenter.empty) > NAMED else ""
        log.warning("%d of %d images have no object: %s%s", len(segmenter.empty), done, names, more)
    if failed:
        raise IncompleteError(
            f"{len(failed)} of {len(paths)} files were left out: "
            f"{', '.join(path.name for path in paths if path in failed)}"
            + (", so there is no stack." if results.together else "")
        )


def how_to_read(dataset: dict[str, Any], channels: int) -> Reading:
    """Return how to read the images. Raises ValueError for unknown values."""
    normalization = dataset.get("normalization", "none")
    min_is_white = dataset.get("min_is_white") or "auto"
    require_choice("dataset.normalization", normalization, NORMALIZATIONS)
    require_choice("dataset.min_is_white", min_is_white, MIN_IS_WHITE)
    nodata = parse_nodata(dataset.get("nodata"))
    selection = Selection.parse(dataset)
    return Reading(channels, normalization, nodata, min_is_white, selection=selection)


def named_outputs(cfg: DictConfig) -> list[str] | None:
    """Return the names in ``outputs``, or None if it is not given.

    Raises ValueError for a wrong name, type or format.
    """
    require_choice("format", cfg.format, FORMATS)
    require_choice("probability_type", cfg.probability_type, PROBABILITY_TYPES)
    require_tracker(cfg.track)
    if cfg.track != "overlap" and cfg.format != "ctc":
        raise ValueError(
            f"track={cfg.track} would have no effect with format={cfg.format}. Add format=ctc, or "
            "leave it out."
        )
    names = None if cfg.outputs is None else [str(name) for name in listed(cfg.outputs)]
    if names is not None and cfg.format in CHALLENGES:
        raise ValueError(
            f"format={cfg.format} writes the files of its challenge, and outputs={names} would "
            "have no effect. Leave one of them out."
        )
    require_known(names or [])
    return names


def choose_writer(cfg: DictConfig, num_classes: int, output: Path) -> ResultWriter:
    """Return the writer that ``format`` names."""
    names = named_outputs(cfg)
    if cfg.format == "isbi":
        return IsbiWriter(output)
    if cfg.format == "ctc":
        return CellTrackingWriter(output, cfg.track)
    outputs = chosen_outputs(names, cfg.format, cfg.probability_type, num_classes > 2)
    return PerImageWriter(output, outputs)


def unusual_settings(dataset: dict[str, Any]) -> dict[str, str]:
    """Return the reading options that are not defaults, as text because JSON has no NaN.

    Results of earlier versions, which do not record defaults, stay valid.

    >>> unusual_settings({"nodata": [float("nan")], "min_is_white": "auto"})
    {'nodata': '[nan]'}
    """
    values = {name: str(dataset.get(name)) for name in OF_DATASET}
    return {name: value for name, value in values.items() if value not in ("None", "auto")}


@dataclass
class FileSegmenter:
    """Segment image files one by one, and write and record their results."""

    predictor: Predictor
    reading: Reading
    results: ResultWriter
    manifest: Manifest
    debug: bool = False
    #: Images in which nothing was found.
    empty: list[Path] = field(default_factory=list)

    def run(self, paths: list[Path]) -> list[Path]:
        """Segment and write each image. Log and return those that failed.

        Raises OSError if the output folder cannot be written, since all other images would fail.
        """
        failed: list[Path] = []
        with bar(Console(), transient=True, disable=not sys.stdout.isatty()) as progress:
            images = progress.add_task("images", total=len(paths))
            for path in paths:
                try:
                    self.segment(path, progress)
                    if not self.results.together:
                        self.manifest.add(self.results.files(path), [path])
                except Exception as error:
                    # Codecs can raise any exception. The other images are still segmented.
                    if isinstance(error, OSError) and is_about_output(error, self.output):
                        raise
                    log.error("%s", reason(path, error), exc_info=self.debug)
                    failed.append(path)
                progress.advance(images)
        return failed

    @property
    def output(self) -> Path:
        """The folder of the results."""
        return self.manifest.path.parent

    def segment(self, path: Path, progress: Any) -> None:
        """Segment one image and write its results.

        Raises ValueError if it is damaged or has another number of channels than the network.
        """
        channels, normalization, nodata, min_is_white = self.reading[:4]
        scale, trained_pixel, selection = self.reading[4:7]
        with (
            open_image(path, channels, min_is_white=min_is_white, selection=selection) as opened,
            scratch(self.output) as new_array,
        ):
            opened.display.warn_of_white_zeros(path, min_is_white)
            pages = opened.pages
            if pages[0].shape[0] != channels:
                raise ValueError(
                    f"{path} has {pages[0].shape[0]} channels, and the network was trained on "
                    f"{channels}. Give images like those it was trained on, or choose what is "
                    "read of them: channels=rgb, luminance or numbers from 0, such as [0,2]."
                )
            if scale is None:
                scale = scale_between(str(path), opened.tags.pixel_size(), trained_pixel)
                log.info("%s: enlarged by a factor of %.3g", shown(path.name), scale)
            predictor = self.predictor.magnified(scale)
            steps = sum(len(predictor.regions(*page.shape[1:])) + 1 for page in pages)
            task = progress.add_task(shown(path.name), total=steps)
            try:
                found = segment(
                    opened, normalization, predictor, new_array,
                    lambda: progress.advance(task), nodata, prepare=self.reading.prepare,
                )  # fmt: skip
            except NotFiniteError as error:
                raise ValueError(f"{path} has {error}") from error
            finally:
                progress.remove_task(task)
            self.results.write(path, found)
        if not found.largest_label:
            self.empty.append(path)
