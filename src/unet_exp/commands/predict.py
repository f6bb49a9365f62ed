"""Segment images: ``python predict.py checkpoint=best.ckpt input=FOLDER output=DIR``."""

import glob
import logging
import sys
from pathlib import Path

import numpy as np
import tifffile
from omegaconf import DictConfig

from unet_exp.commands.entry import launch, listed
from unet_exp.datasets.images import read_images
from unet_exp.datasets.opened import SUFFIXES
from unet_exp.files import replacing

log = logging.getLogger(__name__)


class IncompleteError(Exception):
    """Some of the images could not be segmented; the others are."""


def predict(cfg: DictConfig) -> None:
    """Write ``NAME_probabilities.tif`` and ``NAME_instances.tif`` for each image.

    Probabilities are float32, of the foreground, or one channel per class where there are more
    than two; instances are uint16, or uint32 above 65,535. A file that cannot be read is
    reported and left out.

    Raises
    ------
    IncompleteError
        Naming the files that were left out, after all others were written.
    """
    from rich.progress import track

    from unet_exp.commands.build import load

    source, output = str(cfg.input), Path(str(cfg.output))
    paths = find_images(source)
    if output.resolve() in (path.resolve().parent for path in paths):
        raise ValueError(
            f"output={output} holds the images themselves, so that the next call would take the "
            "results for images. Give another folder."
        )
    trained = load(listed(cfg.checkpoint), cfg)
    config = trained.config
    output.mkdir(parents=True, exist_ok=True)
    channels, normalization = config.model.in_channels, config.dataset.get("normalization", "none")
    failed: list[str] = []
    for path in track(paths, description="images", transient=True, disable=not sys.stdout.isatty()):
        try:
            pages = read_images(path, normalization, channels=channels)
            if pages[0].shape[0] != channels:
                raise ValueError(
                    f"{path} has {pages[0].shape[0]} channels, and the network was trained on "
                    f"{channels}. Give images like those it was trained on."
                )
        except (ValueError, OSError) as error:
            log.error("%s", error)
            failed.append(path.name)
            continue
        probabilities, instances, classes = [], [], []
        for page in pages:
            prediction = trained.predictor.predict(page)
            probability = prediction.probabilities.numpy()
            probabilities.append(1 - probability[0] if len(probability) == 2 else probability)
            instances.append(prediction.instances.numpy())
            classes.append(probability.argmax(0).astype(np.uint8))
        write_tiff(output / f"{path.stem}_probabilities.tif", stack(probabilities))
        write_tiff(output / f"{path.stem}_instances.tif", narrow(stack(instances)))
        if probabilities[0].ndim == 3:
            write_tiff(output / f"{path.stem}_classes.tif", stack(classes))
    log.info("%d of %d images segmented into %s", len(paths) - len(failed), len(paths), output)
    if failed:
        raise IncompleteError(
            f"{len(failed)} of {len(paths)} files were left out: {', '.join(failed)}"
        )


def find_images(source: str) -> list[Path]:
    """Return the images that a file, a folder or a glob names, sorted.

    Raises
    ------
    FileNotFoundError
        If there is none.
    ValueError
        If two would be written under the same name.
    """
    path = Path(source)
    if path.is_dir():
        files = (p for p in path.iterdir() if not p.name.startswith("."))
        found = sorted(p for p in files if p.suffix.lower() in SUFFIXES)
        missing = f"No image in {source}: it has no file ending in {', '.join(SUFFIXES)}."
    else:
        found = [path] if path.is_file() else sorted(map(Path, glob.glob(source, recursive=True)))  # noqa: PTH207 - absolute too
        missing = f"No image at {source}. Give a file, a folder or a quoted glob ('scans/*.tif')."
    if not found:
        raise FileNotFoundError(missing)
    stems = [p.stem for p in found]
    twice = sorted({stem for stem in stems if stems.count(stem) > 1})
    if twice:
        raise ValueError(
            f"Several inputs are named {', '.join(twice[:3])} but for folder or ending; their "
            "results would overwrite each other. Segment them into different output folders."
        )
    return found


def stack(pages: list[np.ndarray]) -> np.ndarray:
    """Return a single page as it is and several as a stack."""
    return pages[0] if len(pages) == 1 else np.stack(pages)


def narrow(labels: np.ndarray) -> np.ndarray:
    """Return instance numbers as uint16 where they fit, else as uint32.

    >>> narrow(np.array([0, 65_535])).dtype, narrow(np.array([0, 65_536])).dtype
    (dtype('uint16'), dtype('uint32'))
    """
    fits = labels.max(initial=0) <= np.iinfo(np.uint16).max
    return labels.astype(np.uint16 if fits else np.uint32)


def write_tiff(path: Path, array: np.ndarray) -> None:
    """Write under a temporary name, then rename."""
    with replacing(path) as part:
        tifffile.imwrite(part, array, compression="zlib", photometric="minisblack")


def main() -> None:
    """Entry point of ``predict.py`` and ``unet-predict``."""
    launch(predict, "predict")


if __name__ == "__main__":
    main()
