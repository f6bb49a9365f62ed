"""From image files to result files: find the inputs, skip what is done, segment, write."""

import hashlib
import logging
import sys
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from unet_exp.images.display import require_min_is_white
from unet_exp.images.image_file import open_image
from unet_exp.images.nodata import NoData, NotFiniteError, parse_nodata
from unet_exp.images.scaling import require_normalization
from unet_exp.inference.freed_memory import keep_freed_memory
from unet_exp.prediction.challenge_results import CellTrackingWriter, IsbiWriter
from unet_exp.prediction.inputs import find_images, require_separate
from unet_exp.prediction.manifest import Manifest
from unet_exp.prediction.pending import find_pending
from unet_exp.prediction.result_files import PerImageWriter, ResultWriter
from unet_exp.prediction.segment import scratch, segment
from unet_exp.runs.failures import is_about_output, reason
from unet_exp.runs.given_paths import find_checkpoints
from unet_exp.screen import Console, bar
from unet_exp.shown import shown
from unet_exp.training.trained import Trained, load

log = logging.getLogger(__name__)

FORMATS = ("auto", "tiff", "zarr", "isbi", "ctc")


class IncompleteError(Exception):
    """Some images could not be segmented. The results of the others are written."""


def segment_files(cfg: DictConfig) -> None:
    """Write probabilities and instances of each image that has no results yet.

    An image that cannot be segmented, or whose results cannot be written, is logged and skipped.

    Raises
    ------
    IncompleteError
        Naming the skipped files, after all others were written.
    """
    keep_freed_memory()
    output, paths = Path(str(cfg.output)), find_images(cfg.input)
    require_separate(cfg.input, paths, output)
    checkpoints = find_checkpoints(cfg.checkpoint)
    trained = load(checkpoints, cfg)
    for name in ("nodata", "min_is_white"):  # these describe the images at hand
        if cfg[name] is not None:
            OmegaConf.update(trained.config, f"dataset.{name}", cfg[name], force_add=True)
    reading(trained.config.dataset)  # refused here, once, before anything is written
    results = chosen_results(cfg, trained, output)
    manifest = Manifest(output / "predict.json", settings(cfg, trained, checkpoints), cfg.overwrite)
    waiting, refused = find_pending(paths, results, manifest)
    output.mkdir(parents=True, exist_ok=True)
    manifest.write()
    for message in refused.values():
        log.error("%s", message)
    failed = [*refused, *segment_all(waiting, trained, results, manifest, cfg.get("debug") is True)]
    if waiting and not (results.together and failed):
        for path in results.finish([path for path in paths if path not in failed]):
            log.info("%s", path)
        if results.together:
            manifest.enter(results.files(paths[0]), paths)
    before = len(paths) - len(waiting) - len(refused)
    done = len(paths) - before - len(failed)
    log.info(
        "%d of %d images segmented into %s%s", done, len(paths), output,
        f", {before} were there before" if before else "",
    )  # fmt: skip
    if failed:
        raise IncompleteError(
            f"{len(failed)} of {len(paths)} files were left out: "
            f"{', '.join(path.name for path in paths if path in failed)}"
            + (", so there is no stack." if results.together else "")
        )


def segment_all(
    paths: list[Path],
    trained: Trained,
    results: ResultWriter,
    manifest: Manifest,
    debug: bool = False,
) -> list[Path]:
    """Segment and write each image. Log and return those that failed.

    Raises
    ------
    OSError
        If nothing more can be written, so that all other images would fail too.
    """
    failed: list[Path] = []
    output = manifest.path.parent
    with bar(Console(), transient=True, disable=not sys.stdout.isatty()) as progress:
        images = progress.add_task("images", total=len(paths))
        for path in paths:
            try:
                segment_file(path, trained, results, output, progress)
                if not results.together:
                    manifest.enter(results.files(path), [path])
            except Exception as error:
                # Files and codecs can raise anything; the other images are still tried.
                if isinstance(error, OSError) and is_about_output(error, output):
                    raise
                log.error("%s", reason(path, error), exc_info=debug)
                failed.append(path)
            progress.advance(images)
    return failed


def segment_file(
    path: Path, trained: Trained, results: ResultWriter, output: Path, progress: Any
) -> None:
    """Segment one image and write its results.

    Raises
    ------
    ValueError
        If it is damaged, or does not match the images that the network was trained on.
    """
    channels = trained.config.model.in_channels
    normalization, nodata, min_is_white = reading(trained.config.dataset)
    with (
        open_image(path, channels, min_is_white=min_is_white) as opened,
        scratch(output) as new_array,
    ):
        opened.display.warn_of_white_zeros(path, min_is_white)
        if opened.pages[0].shape[0] != channels:
            raise ValueError(
                f"{path} has {opened.pages[0].shape[0]} channels, and the network was trained on "
                f"{channels}. Give images like those it was trained on."
            )
        regions = (len(trained.predictor.regions(*page.shape[1:])) for page in opened.pages)
        task = progress.add_task(shown(path.name), total=sum(regions) + len(opened.pages))
        try:
            found = segment(
                opened, normalization, trained.predictor, new_array,
                lambda: progress.advance(task), nodata,
            )  # fmt: skip
        except NotFiniteError as error:
            raise ValueError(f"{path} has {error}") from error
        finally:
            progress.remove_task(task)
        results.write(path, found)


def reading(dataset: DictConfig) -> tuple[str, NoData, str]:
    """Return how images are read: normalization, values without data, and ``min_is_white``.

    Raises
    ------
    ValueError
        For an unknown value.
    """
    normalization = dataset.get("normalization", "none")
    min_is_white = dataset.get("min_is_white") or "auto"
    require_normalization(normalization)
    require_min_is_white(min_is_white)
    return normalization, parse_nodata(plain(dataset.get("nodata"))), min_is_white


def chosen_results(cfg: DictConfig, trained: Trained, output: Path) -> ResultWriter:
    """Return the writer that ``format`` names."""
    if cfg.format not in FORMATS:
        raise ValueError(f"format={cfg.format} is not known. Choose one of {', '.join(FORMATS)}.")
    if cfg.format == "isbi":
        return IsbiWriter(output)
    if cfg.format == "ctc":
        return CellTrackingWriter(output)
    return PerImageWriter(
        output, cfg.format, cfg.probabilities, trained.config.model.out_channels > 2
    )


def plain(value: Any) -> Any:
    """Return a value of a configuration as plain data."""
    return OmegaConf.to_container(value) if OmegaConf.is_config(value) else value


def settings(cfg: DictConfig, trained: Trained, checkpoints: list[Path]) -> dict[str, Any]:
    """Return the settings that results depend on."""
    dataset = trained.config.dataset
    # Defaults are left out, so that results of earlier versions still count. The values are
    # text because JSON has no NaN.
    unusual = {
        "nodata": str(plain(dataset.get("nodata"))),
        "min_is_white": dataset.get("min_is_white"),
    }
    return {
        **{name: said for name, said in unusual.items() if said not in ("None", None, "auto")},
        "checkpoint": [hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in checkpoints],
        "tta": cfg.tta,
        "normalization": dataset.get("normalization", "none"),
        "postprocessing": OmegaConf.to_container(trained.config.postprocessing),
        "format": cfg.format,
        "probabilities": cfg.probabilities,
    }
