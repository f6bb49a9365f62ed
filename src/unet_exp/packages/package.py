"""Open a BioImage.IO package: what it says, its network, and how its output becomes instances."""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped
from omegaconf import DictConfig

from unet_exp.configuration.buildable import Checker, NotBuildableError
from unet_exp.configuration.objects import build
from unet_exp.configuration.revision import revised
from unet_exp.inference.predictor import Predictor
from unet_exp.packages.archive import Archive, PackageError
from unet_exp.packages.assumed_meaning import MEANINGS, AssumedMeaning, meaning_of, read_npy
from unet_exp.packages.description import Description, read_description
from unet_exp.packages.fields import Fields
from unet_exp.packages.onnx_network import OnnxNetwork
from unet_exp.packages.steps import Step, image_steps, output_steps

log = logging.getLogger(__name__)

#: Bytes of the weights, and of the example of an output.
LARGEST_WEIGHTS, LARGEST_EXAMPLE = 2**31, 2**28
#: Side of a tile in pixels, unless another is given: the memory that a graph takes is not known.
TILE = 1024
PLAIN_WATERSHED = {
    "_target_": "unet_exp.postprocessing.watershed.Watershed",
    "grow": "${of_target:gap}",
    "height": "${of_target:height}",
    "smoothing": "${of_target:smoothing}",
    "seed_threshold": "${of_target:seed_threshold}",
    "min_size": 0,
}


@dataclass(frozen=True)
class Package:
    """A package that is ready to segment.

    Attributes
    ----------
    predictor
        Network, target and postprocessing.
    channels
        Those of an image.
    normalization
        How `unet_exp.images.scaling` scales an image after ``steps``.
    steps
        The package's preprocessing; none for one of ours, whose ``normalization`` is known.
    """

    predictor: Predictor
    channels: int
    normalization: str
    steps: Sequence[Step]

    def prepared(self, image: Shaped[np.ndarray, "c h w"]) -> Shaped[np.ndarray, "c h w"]:
        """Return an image after the steps of the package."""
        for step in self.steps:
            image = step(image.astype(np.float32))
        return image


def is_package(path: Path) -> bool:
    """Tell whether a file is taken for a package.

    >>> is_package(Path("model.zip")), is_package(Path("best.ckpt"))
    (True, False)
    """
    return path.suffix.lower() == ".zip"


def read_package(path: Path, cfg: DictConfig) -> Package:
    """Return the network of a package, with its preprocessing and postprocessing.

    Parameters
    ----------
    cfg
        ``accelerator``; ``tta``; ``trust``; and ``inference`` and ``postprocessing``, whose values
        replace those of the package.

    Raises PackageError if the package cannot be used.
    """
    archive = Archive(path)
    description = read_description(archive)
    meant = ours(description, cfg.trust) if description.unet_exp else assumed(archive, description)
    steps = output_steps(description.postprocessing, description.channels[1])
    content = verified(archive, description.weights, LARGEST_WEIGHTS)
    network = OnnxNetwork(content, description, steps, cfg.accelerator)
    tile = max(TILE, network.fitting_sizes(2 * network.halo + network.step)[1])
    inference = {"_target_": "unet_exp.inference.overlap_tile.OverlapTile", "tile": tile}
    held: dict[str, Any] = {"dataset": {}, "metric": {}, "inference": inference} | meant
    config = revised(held, cfg)
    target = build(config.target)
    if getattr(target, "out_channels", network.out_channels) != network.out_channels:
        raise PackageError(
            f"{description.name} gives {network.out_channels} channels, and its target needs "
            f"{target.out_channels}. Fetch the package again."
        )
    predictor = Predictor(
        [network], target, build(config.inference), build(config.postprocessing), cfg.tta
    )
    normalization = held["dataset"].get("normalization", "none")
    before = []
    if description.unet_exp is None:
        before = image_steps(description.preprocessing, network.in_channels)
    return Package(predictor, network.in_channels, normalization, before)


def ours(description: Description, trust: Sequence[str]) -> dict[str, Any]:
    """Return target, postprocessing and normalization as `unet_exp.export` wrote them.

    Raises PackageError if they are not plain values of known options.
    """
    fields: Any = description.unet_exp
    parts = {name: fields.record(name).value for name in ("target", "postprocessing")}
    try:
        for name, node in parts.items():
            Checker(trust).option(name, name, node)
    except NotBuildableError as error:
        raise PackageError(f"{description.name} was not built: {error}.") from error
    for warning in fields.several("warnings", [])[:10]:
        log.warning("%s: %s", description.name, str(warning)[:500])
    return {**parts, "dataset": {"normalization": fields.text("normalization")}}


def assumed(archive: Archive, description: Description) -> dict[str, Any]:
    """Return target and postprocessing for a network whose package does not name them; log them.

    Raises PackageError if the package has no example of an output.
    """
    where = f"{description.name} ({archive.path})"
    if "source" not in description.test_output.value:
        raise PackageError(
            f"{where} has no test output, which tells logits from probabilities. Add test_tensor."
        )
    content = verified(archive, description.test_output, LARGEST_EXAMPLE)
    example = read_npy(content, f"The test output of {where}")
    letters = description.axes[1]
    if example.ndim != len(letters):
        raise PackageError(f"The test output of {where} has other axes than {letters}.")
    channel = letters.index("c") if "c" in letters else None
    meaning = meaning_of(example, channel)
    log.warning(
        "%s does not say what its output means. By its test output, it is taken for %s.",
        where, MEANINGS[meaning],
    )  # fmt: skip
    target = {
        "_target_": f"{AssumedMeaning.__module__}.{AssumedMeaning.__name__}",
        "channels": description.channels[1],
        "meaning": meaning,
    }
    return {"target": target, "postprocessing": PLAIN_WATERSHED}


def verified(archive: Archive, fields: Fields, limit: int) -> bytes:
    """Return the content of a file that a description names, if its checksum is right.

    Raises PackageError if it is not in the package, or another one.
    """
    name = fields.text("source")
    if "://" in name:
        raise fields.refuses(f"source={name[:80]}", "Give a package that holds all of its files.")
    content = archive.read(name.removeprefix("./"), limit)
    stated = fields.text("sha256", "")
    if stated and hashlib.sha256(content).hexdigest() != stated.lower():
        raise fields.refuses(f"another checksum than {name}", "Fetch the package again.")
    return content
