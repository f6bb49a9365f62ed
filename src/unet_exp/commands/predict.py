"""Segment images: ``python predict.py checkpoint=best.ckpt input=FOLDER output=DIR``."""

import hashlib
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf

from unet_exp.commands.entry import launch, listed

if TYPE_CHECKING:
    from unet_exp.commands.build import Trained
    from unet_exp.commands.predicting.ledger import Ledger
    from unet_exp.commands.predicting.outputs import Results

log = logging.getLogger(__name__)

FORMATS = ("auto", "tiff", "zarr", "isbi", "ctc")


class IncompleteError(Exception):
    """Some of the images could not be segmented; the others are."""


def predict(cfg: DictConfig) -> None:
    """Write probabilities and instances of each image that has none yet.

    A file that cannot be segmented is reported and left out.

    Raises
    ------
    IncompleteError
        Naming the files that were left out, after all others were written.
    """
    from unet_exp.commands.build import load
    from unet_exp.commands.predicting.inputs import find_images, require_distinct, require_separate
    from unet_exp.commands.predicting.ledger import Ledger
    from unet_exp.inference.freed_memory import keep_freed_memory

    keep_freed_memory()
    output, paths = Path(str(cfg.output)), find_images(cfg.input)
    require_separate(cfg.input, paths, output)
    trained = load(listed(cfg.checkpoint), cfg)
    results = chosen_results(cfg, trained, output)
    require_distinct(paths, results)
    output.mkdir(parents=True, exist_ok=True)
    ledger = Ledger(output / "predict.json", settings(cfg, trained), cfg.overwrite)
    if results.together:
        waiting = [] if ledger.is_done(results.files(paths[0]), paths) else paths
    else:
        waiting = [path for path in paths if not ledger.is_done(results.files(path), [path])]
    ledger.write()
    failed = segment_all(waiting, trained, results, ledger)
    if waiting and not (results.together and failed):
        done = [path for path in paths if path not in failed]
        for path in results.finish(done):
            log.info("%s", path)
        if results.together:
            ledger.enter(results.files(paths[0]), paths)
    before = len(paths) - len(waiting)
    log.info(
        "%d of %d images segmented into %s%s", len(waiting) - len(failed), len(paths), output,
        f", {before} were there before" if before else "",
    )  # fmt: skip
    if failed:
        raise IncompleteError(
            f"{len(failed)} of {len(paths)} files were left out: "
            f"{', '.join(path.name for path in failed)}"
            + (", so there is no stack." if results.together else "")
        )


def segment_all(
    paths: list[Path], trained: "Trained", results: "Results", ledger: "Ledger"
) -> list[Path]:
    """Segment and write image by image; return those that could not be read."""
    from rich.progress import Progress

    failed: list[Path] = []
    output = ledger.path.parent
    with Progress(transient=True, disable=not sys.stdout.isatty()) as progress:
        images = progress.add_task("images", total=len(paths))
        for path in paths:
            try:
                segment_one(path, trained, results, output, progress)
                if not results.together:
                    ledger.enter(results.files(path), [path])
            except (ValueError, OSError) as error:
                if isinstance(error, OSError) and is_about(error, output):
                    raise
                log.error("%s", error)
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
    from unet_exp.commands.predicting.segment import scratch, segment
    from unet_exp.datasets.opened import open_image
    from unet_exp.datasets.scaling import NotFiniteError

    channels = trained.config.model.in_channels
    normalization = trained.config.dataset.get("normalization", "none")
    with open_image(path, channels) as opened, scratch(output) as new_array:
        if opened.pages[0].shape[0] != channels:
            raise ValueError(
                f"{path} has {opened.pages[0].shape[0]} channels, and the network was trained on "
                f"{channels}. Give images like those it was trained on."
            )
        regions = (len(trained.predictor.regions(*page.shape[1:])) for page in opened.pages)
        task = progress.add_task(path.name, total=sum(regions) + len(opened.pages))
        try:
            found = segment(
                opened, normalization, trained.predictor, new_array, lambda: progress.advance(task)
            )
        except NotFiniteError as error:
            raise ValueError(f"{path} has {error}") from error
        finally:
            progress.remove_task(task)
        results.write(path, found)


def is_about(error: OSError, output: Path) -> bool:
    """Tell whether an error is about writing, so that other images would fail likewise."""
    from unet_exp.commands.errors import is_full

    name = str(error.filename or "")
    return is_full(error) or (bool(name) and output.resolve() in Path(name).resolve().parents)


def chosen_results(cfg: DictConfig, trained: "Trained", output: Path) -> "Results":
    """Return the way to write results that ``format`` names."""
    from unet_exp.commands.predicting.challenge_results import CellTracking, Isbi
    from unet_exp.commands.predicting.outputs import PerImage

    if cfg.format not in FORMATS:
        raise ValueError(f"format={cfg.format} is not known. Choose one of {', '.join(FORMATS)}.")
    if cfg.format == "isbi":
        return Isbi(output)
    if cfg.format == "ctc":
        return CellTracking(output)
    return PerImage(output, cfg.format, cfg.probabilities, trained.config.model.num_classes > 2)


def settings(cfg: DictConfig, trained: "Trained") -> dict[str, Any]:
    """Return what results depend on."""
    return {
        "checkpoint": [
            hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in listed(cfg.checkpoint)
        ],
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
