"""Segment images: ``python predict.py checkpoint=best.ckpt input=FOLDER output=DIR``."""

import hashlib
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf

from unet_exp.commands.entry import launch
from unet_exp.runs.given_paths import find_checkpoints
from unet_exp.shown import shown

if TYPE_CHECKING:
    from unet_exp.images.nodata import NoData
    from unet_exp.prediction.ledger import Ledger
    from unet_exp.prediction.outputs import Results
    from unet_exp.runs.build import Trained

log = logging.getLogger(__name__)

FORMATS = ("auto", "tiff", "zarr", "isbi", "ctc")


class IncompleteError(Exception):
    """Some of the images could not be segmented; the others are."""


def predict(cfg: DictConfig) -> None:
    """Write probabilities and instances of each image that has none yet.

    A file that cannot be segmented, or whose results cannot be written, is reported and left out.

    Raises
    ------
    IncompleteError
        Naming the files that were left out, after all others were written.
    """
    from unet_exp.inference.freed_memory import keep_freed_memory
    from unet_exp.prediction.inputs import find_images, require_separate
    from unet_exp.prediction.ledger import Ledger
    from unet_exp.prediction.waiting import find_waiting
    from unet_exp.runs.build import load

    keep_freed_memory()
    output, paths = Path(str(cfg.output)), find_images(cfg.input)
    require_separate(cfg.input, paths, output)
    checkpoints = find_checkpoints(cfg.checkpoint)
    trained = load(checkpoints, cfg)
    for name in ("nodata", "min_is_white"):  # of the images at hand, whatever data it trained on
        if cfg[name] is not None:
            OmegaConf.update(trained.config, f"dataset.{name}", cfg[name], force_add=True)
    reading(trained.config.dataset)  # refused here, once, before anything is written
    results = chosen_results(cfg, trained, output)
    held = settings(cfg, trained, checkpoints)
    ledger = Ledger(output / "predict.json", held, cfg.overwrite)
    waiting, refused = find_waiting(paths, results, ledger)
    output.mkdir(parents=True, exist_ok=True)
    ledger.write()
    for reason in refused.values():
        log.error("%s", reason)
    failed = [*refused, *segment_all(waiting, trained, results, ledger, cfg.get("debug") is True)]
    if waiting and not (results.together and failed):
        for path in results.finish([path for path in paths if path not in failed]):
            log.info("%s", path)
        if results.together:
            ledger.enter(results.files(paths[0]), paths)
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
    paths: list[Path], trained: "Trained", results: "Results", ledger: "Ledger", debug: bool = False
) -> list[Path]:
    """Segment and write image by image; return those that failed, each of which is logged.

    Raises
    ------
    OSError
        Nothing more can be written, so that all others would fail likewise.
    """
    from unet_exp.runs.failures import is_about_output, reason
    from unet_exp.screen import Console, bar

    failed: list[Path] = []
    output = ledger.path.parent
    with bar(Console(), transient=True, disable=not sys.stdout.isatty()) as progress:
        images = progress.add_task("images", total=len(paths))
        for path in paths:
            try:
                segment_one(path, trained, results, output, progress)
                if not results.together:
                    ledger.enter(results.files(path), [path])
            except Exception as error:
                # Whatever a file holds, or a codec raises, the others are tried.
                if isinstance(error, OSError) and is_about_output(error, output):
                    raise
                log.error("%s", reason(path, error), exc_info=debug)
                failed.append(path)
            progress.advance(images)
    return failed


def segment_one(
    path: Path, trained: "Trained", results: "Results", output: Path, progress: Any
) -> None:
    """Segment and write an image.

    Raises
    ------
    ValueError
        If it is damaged, or not like those that the network was trained on.
    """
    from unet_exp.images.image_file import open_image
    from unet_exp.images.nodata import NotFiniteError
    from unet_exp.prediction.segment import scratch, segment

    channels = trained.config.model.in_channels
    normalization, nodata, min_is_white = reading(trained.config.dataset)
    with (
        open_image(path, channels, min_is_white=min_is_white) as opened,
        scratch(output) as new_array,
    ):
        opened.display.explain(path, min_is_white)
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


def reading(dataset: DictConfig) -> "tuple[str, NoData, str]":
    """Return how images are read: their normalization, values without data, and white zeros.

    Raises
    ------
    ValueError
        For a value that is not known.
    """
    from unet_exp.images.display import require_min_is_white
    from unet_exp.images.nodata import parse_nodata
    from unet_exp.images.scaling import require_normalization

    normalization = dataset.get("normalization", "none")
    min_is_white = dataset.get("min_is_white") or "auto"
    require_normalization(normalization)
    require_min_is_white(min_is_white)
    return normalization, parse_nodata(plain(dataset.get("nodata"))), min_is_white


def chosen_results(cfg: DictConfig, trained: "Trained", output: Path) -> "Results":
    """Return the way to write results that ``format`` names."""
    from unet_exp.prediction.challenge_results import CellTracking, Isbi
    from unet_exp.prediction.outputs import PerImage

    if cfg.format not in FORMATS:
        raise ValueError(f"format={cfg.format} is not known. Choose one of {', '.join(FORMATS)}.")
    if cfg.format == "isbi":
        return Isbi(output)
    if cfg.format == "ctc":
        return CellTracking(output)
    return PerImage(output, cfg.format, cfg.probabilities, trained.config.model.num_classes > 2)


def plain(value: Any) -> Any:
    """Return a value of a configuration as plain data."""
    return OmegaConf.to_container(value) if OmegaConf.is_config(value) else value


def settings(cfg: DictConfig, trained: "Trained", checkpoints: list[Path]) -> dict[str, Any]:
    """Return what results depend on."""
    dataset = trained.config.dataset
    # Left out where they are as ever, so that results of earlier versions still count. As text,
    # since JSON has no NaN.
    unusual = {
        "nodata": str(plain(dataset.get("nodata"))),
        "min_is_white": dataset.get("min_is_white"),
    }
    return {
        **{name: said for name, said in unusual.items() if said not in ("None", None, "auto")},
        "checkpoint": [hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in checkpoints],
        "tta": cfg.tta,
        "normalization": trained.config.dataset.get("normalization", "none"),
        "postprocessing": OmegaConf.to_container(trained.config.postprocessing),
        "format": cfg.format,
        "probabilities": cfg.probabilities,
    }


def main() -> None:
    """Entry point of ``predict.py`` and ``unet-predict``."""
    launch(predict, "predict")


if __name__ == "__main__":
    main()
