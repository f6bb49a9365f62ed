"""Segment arrays with a trained network: ``unet_exp.load("best.ckpt").segment(image)``."""

import itertools
import os
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt32
from omegaconf import DictConfig, OmegaConf

from unet_exp.api.axes import Axes, as_array
from unet_exp.api.job import as_overrides, compose, explained
from unet_exp.api.keywords import explain_keywords
from unet_exp.api.segmented import Segmented
from unet_exp.configuration.checks import validate
from unet_exp.configuration.objects import to_plain_data
from unet_exp.configuration.paths import settle_paths
from unet_exp.configuration.quoting import at_home
from unet_exp.images.display import Display
from unet_exp.images.image_file import ImageFile
from unet_exp.images.nodata import NotFiniteError
from unet_exp.images.scaling import Scaled
from unet_exp.images.selection import Selection
from unet_exp.images.tags import Tags
from unet_exp.inference.magnification import parse_scale
from unet_exp.inference.predictor import Predictor
from unet_exp.packages.opened import open_trained
from unet_exp.postprocessing.parameters import Parameter, parameters, with_values
from unet_exp.prediction.segment import Page, segment
from unet_exp.prediction.segment_files import Reading, how_to_read
from unet_exp.runs.given_paths import find_checkpoints
from unet_exp.screen import Console, bar

#: Channels of an image in colours, the last with transparency.
COLOURS = (3, 4)
#: An axis of this length or more holds no channels, unless it is named so.
MOST_CHANNELS = 17

#: Function that is called with the number of steps done, and of all steps.
OnProgress = Callable[[int, int], object]


class Segmenter:
    """Segment arrays as ``predict.py`` segments files; :func:`load` makes it from checkpoints.

    Images are normalised as in training. They may have any size, and are segmented tile by tile.

    Parameters
    ----------
    predictor
        Network, tiles, target and postprocessing.
    reading
        The channels of an image, its normalisation, numbers that mean no data, and the steps of a
        package.
    description
        Text with the files of the networks.

    Examples
    --------
    >>> from unet_exp.inference.overlap_tile import OverlapTile
    >>> from unet_exp.models.unet import UNet
    >>> from unet_exp.postprocessing.components import Components
    >>> from unet_exp.targets.foreground import Foreground
    >>> network = UNet(in_channels=3, depth=1, base_channels=2).eval()
    >>> predictor = Predictor([network], Foreground(), OverlapTile(), Components())
    >>> segmenter = Segmenter(predictor, Reading(3, "zscore", (), "auto"))
    >>> segmenter.segment(np.zeros((40, 60, 3), np.uint8)).shape
    (40, 60)
    >>> segmenter.probabilities(np.zeros((9, 3, 40, 60), np.uint8)).shape
    (9, 40, 60)
    """

    def __init__(
        self,
        predictor: Predictor,
        reading: Reading,
        description: str = "",
    ) -> None:
        self.predictor, self.reading, self.description = predictor, reading, description

    def __repr__(self) -> str:
        return f"Segmenter({self.description})"

    @property
    def channels(self) -> int:
        """The number of channels of an image."""
        return self.reading.channels

    @property
    def parameters(self) -> list[Parameter]:
        """The parameters of the postprocessing that :meth:`instances` takes, with their values."""
        return parameters(self.predictor.postprocessing)

    def segment(
        self, image: Any, *, axes: str | None = None, progress: bool = False
    ) -> UInt32[np.ndarray, "*pages h w"]:
        """Return the instances of an image, or of each page: numbered from 1, background 0.

        Shape: (h, w), as large as the image; pages come first.

        See :meth:`predict` for the parameters.
        """
        return self.predict(image, axes=axes, progress=progress).instances

    def probabilities(
        self, image: Any, *, axes: str | None = None, progress: bool = False
    ) -> Float32[np.ndarray, "*pages h w"] | Float32[np.ndarray, "*pages k h w"]:
        """Return the probability of the foreground; with k > 2 classes, of each class.

        Float32 from 0 to 1. Shape: (h, w), or (k, h, w) with the background first, as large as the
        image. Pages come first: (pages, h, w).

        See :meth:`predict` for the parameters.
        """
        return self.predict(image, axes=axes, progress=progress).probabilities

    def instances(self, found: Segmented, **values: float) -> UInt32[np.ndarray, "*pages h w"]:
        """Return the instances for other values of postprocessing, without running the network.

        Parameters
        ----------
        found
            The result of :meth:`predict` for an image.
        values
            New values of :attr:`parameters`: ``threshold=0.4, min_size=30``. The others stay.

        Raises ValueError if there is no such parameter, or a value is out of range.
        """
        postprocessing = with_values(self.predictor.postprocessing, values)
        return found.instances_by(self.predictor.with_postprocessing(postprocessing))

    def predict(
        self, image: Any, *, axes: str | None = None, progress: bool | OnProgress = False
    ) -> Segmented:
        """Return instances, probabilities and classes of an image, in one pass of the network.

        Parameters
        ----------
        image
            (h, w), (c, h, w), (h, w, c) or several pages of these: an array, or a tensor on the
            CPU.
        axes
            A letter for each axis, if the shape alone is ambiguous: Y, X, C (channels), others for
            pages. Example: ``axes="TYX"``.
        progress
            Whether to show a progress bar; or a function that is called after each step with the
            number of steps done and of all steps. An error that it raises ends the segmentation.

        Raises ValueError if the channels of the array do not fit the network, if it holds NaN, or
        if it is no image.
        """
        array = as_array(image)
        selection = self.reading.selection
        if axes:
            found = Axes.given(axes, array.shape)
        else:
            found = Axes.guess(array.shape, self.channels, choices(selection))
        held = found.channels(array.shape)
        if selection.count(held, held in COLOURS) != self.channels:
            raise ValueError(
                f"The image has {held} channels (shape {array.shape}, axes {found.letters}), and "
                f"the network was trained on {self.channels}. Give images like those it was "
                "trained on, or load it with channels=rgb, luminance or numbers from 0, such as "
                "[0,2]."
            )
        pages = found.pages_first(array)
        shape = pages.shape[:-3]
        selected = [np.asarray(selection.apply(pages[n])) for n in np.ndindex(shape)]
        opened = ImageFile(
            Path("image"), selected, "Q" * len(shape), shape, Tags(), Display(), False,
        )  # fmt: skip
        steps = sum(len(self.predictor.regions(*page.shape[1:])) + 1 for page in opened.pages)
        seen: list[tuple[Scaled, Page]] = []
        with advancing(progress, steps) as advance:
            try:
                result = segment(
                    opened, self.reading.normalization, self.predictor, np.zeros, advance,
                    self.reading.nodata, lambda *page: seen.append(page), self.reading.prepare,
                )  # fmt: skip
            except NotFiniteError as error:
                raise ValueError(f"The image has {error}") from error
        return Segmented.joined(seen, result.instances, shape)


def choices(selection: Selection) -> Collection[int]:
    """Return the numbers of channels that an array may have before a selection of channels.

    >>> choices(Selection(channels="luminance")), 3 in choices(Selection(channels=(0, 2)))
    ((1, 3, 4), True)
    """
    if selection.channels is None:
        return ()
    if isinstance(selection.channels, str):
        return 1, *COLOURS
    return range(max(selection.channels) + 1, MOST_CHANNELS)


@contextmanager
def advancing(progress: bool | OnProgress, steps: int) -> Iterator[Callable[[], None]]:
    """Yield a function to call after each step.

    >>> with advancing(print, steps=2) as advance:
    ...     advance()
    1 2
    """
    if callable(progress):
        done = itertools.count(1)

        def advance() -> None:
            progress(next(done), steps)

        yield advance
        return
    with bar(Console(file=sys.stderr), transient=True, disable=not progress) as shown:
        task = shown.add_task("image", total=steps)
        yield lambda: shown.advance(task)


@explain_keywords
def load(
    checkpoint: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *overrides: str,
    tta: str = "none",
    device: str = "auto",
    tile: int | None = None,
    batch_size: int | None = None,
    trust: Sequence[str] = (),
) -> Segmenter:
    """Load a trained network, to segment arrays with it.

    Parameters
    ----------
    checkpoint
        A checkpoint, or a run folder with its best checkpoint. If there are several, their
        probabilities are averaged. Or BioImage.IO packages, ``model.zip``, with ONNX weights (extra
        ``export``).
    overrides
        Overrides of ``predict.py``: ``"postprocessing.threshold=0.6"``.
    tta
        Test-time augmentation: ``none``, ``rotations`` or ``dihedral``.
    device
        ``auto`` (the GPU if there is one), ``cpu`` or ``gpu``.
    tile, batch_size
        Side of the tiles in pixels (``inference.tile``), and number of tiles in one pass. By
        default, the tile depends on the free memory. Neither changes the result.
    trust
        Classes and functions of other packages that the checkpoint may build. This runs their code.

    Raises FileNotFoundError if there is no checkpoint, CheckpointError or PackageError if it cannot
    be used, and ValueError for a wrong override.

    Examples
    --------
    >>> import unet_exp
    >>> segmenter = unet_exp.load("best.ckpt", tta="dihedral")  # doctest: +SKIP
    >>> labels = segmenter.segment(image)  # doctest: +SKIP
    """
    values = {"tta": tta, "accelerator": device, "trust": list(trust)}
    values |= {"inference.tile": tile, "inference.batch_size": batch_size}
    one = isinstance(checkpoint, str | os.PathLike)
    named = [at_home(os.fspath(path)) for path in ([checkpoint] if one else checkpoint)]
    cfg = compose("predict", [*overrides, *as_overrides(values)])
    with explained("predict"):
        settle_paths(cfg)
        validate(cfg, "predict")
        paths = find_checkpoints(named)
        trained = open_trained(paths, cfg)
        dataset = to_plain_data(trained.config)["dataset"] | given_reading(cfg)
        reading = how_to_read(dataset, trained.config.model.in_channels)
        reading = reading._replace(prepare=trained.prepare)
        predictor = trained.predictor.magnified(factor(cfg))
        return Segmenter(predictor, reading, ", ".join(map(str, paths)))


def given_reading(cfg: DictConfig) -> dict[str, Any]:
    """Return the settings for reading arrays that overrides give."""
    given = to_plain_data(OmegaConf.masked_copy(cfg, ["nodata", "min_is_white", "channels"]))
    return {name: value for name, value in given.items() if value is not None}


def factor(cfg: DictConfig) -> float:
    """Return the factor by which images are enlarged.

    Raises ValueError for ``scale=auto``.
    """
    scale = parse_scale(cfg.scale)
    if scale is None:
        raise ValueError(
            f"scale={cfg.scale} compares the pixel sizes of files, and an array has none. Give a "
            "number: scale=0.5 for images in which objects are twice as wide as in the training's."
        )
    return scale
