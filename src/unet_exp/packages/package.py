"""Read a BioImage.IO package: its network, its scaling, and how its output becomes instances."""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unet_exp.configuration.buildable import Checker, NotBuildableError
from unet_exp.images.scaling import NORMALIZATIONS
from unet_exp.packages.archive import Archive, PackageError
from unet_exp.packages.assumed_meaning import MEANINGS, AssumedMeaning, meaning_of, read_npy
from unet_exp.packages.description import Description, read_description
from unet_exp.packages.fields import Fields
from unet_exp.packages.image_steps import ImageStep, image_steps
from unet_exp.packages.onnx_network import OnnxNetwork
from unet_exp.packages.steps import output_steps

log = logging.getLogger(__name__)

#: Bytes of the weights, and of the example of an output.
LARGEST_WEIGHTS, LARGEST_EXAMPLE = 2**31, 2**28
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
    """What a package holds, ready to run.

    Attributes
    ----------
    network
        Its network.
    target, postprocessing
        Nodes of a configuration, which may be built.
    normalization
        How `unet_exp.images.scaling` scales an image after ``steps``.
    preprocessing
        The steps as the description has them; none for a package of ours, whose ``normalization``
        is known.
    steps
        The same steps, as functions.
    scale
        Factor by which images are enlarged for the network.
    origin
        Where the values of the postprocessing come from.
    """

    network: OnnxNetwork
    target: dict[str, Any]
    postprocessing: dict[str, Any]
    normalization: str
    preprocessing: list[Any]
    steps: Sequence[ImageStep]
    scale: float
    origin: str


def read_package(path: Path, device: str, trust: Sequence[str]) -> Package:
    """Return the network of a package, with its preprocessing and postprocessing.

    Parameters
    ----------
    device
        ``cpu``, ``gpu`` or ``auto``.
    trust
        Targets that may be built besides the project's.

    Raises PackageError if the package cannot be used.
    """
    archive = Archive(path)
    description = read_description(archive)
    is_ours = description.unet_exp is not None
    meant = ours(description, trust) if is_ours else assumed(archive, description)
    output = output_steps(description.postprocessing, description.channels[1])
    content = verified(archive, description.weights, LARGEST_WEIGHTS)
    network = OnnxNetwork(content, description, output, device)
    described = [] if is_ours else description.preprocessing
    return Package(
        network=network,
        **meant,
        preprocessing=[one.value for one in described],
        steps=image_steps(described, network.in_channels),
    )


def ours(description: Description, trust: Sequence[str]) -> dict[str, Any]:
    """Return the values that `unet_exp.export` wrote; log its warnings.

    Raises PackageError if they are not plain values of known options.
    """
    fields: Any = description.unet_exp
    parts = {name: fields.record(name).value for name in ("target", "postprocessing")}
    try:
        for name, node in parts.items():
            Checker(trust).option(name, name, node)
    except NotBuildableError as error:
        raise PackageError(f"{description.name} was not built: {error}.") from error
    # It becomes a part of a configuration, which would resolve a reference such as ${oc.env:HOME}.
    normalization = fields.text("normalization")
    if normalization not in NORMALIZATIONS:
        raise fields.refuses(
            f"normalization={normalization[:20]}", f"It is one of {', '.join(NORMALIZATIONS)}."
        )
    scale = fields.real("scale", 1.0)
    for warning in map(str, fields.several("warnings", [])[:10]):
        if f"inference.scale={scale:g}" not in warning:  # images are enlarged here
            log.warning("%s: %s", description.name, warning[:500])
    return {
        **parts,
        "normalization": normalization,
        "scale": scale,
        "origin": "of the package",
    }


def assumed(archive: Archive, description: Description) -> dict[str, Any]:
    """Choose and log target and postprocessing for a network whose package does not name them.

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
    return {
        "target": target,
        "postprocessing": PLAIN_WATERSHED,
        "normalization": "none",
        "scale": 1.0,
        "origin": "usual values, as the package names none",
    }


def verified(archive: Archive, fields: Fields, limit: int) -> bytes:
    """Return the content of a file that a description names, if its checksum is right.

    Raises PackageError if the file is not in the package, or if its checksum differs.
    """
    name = fields.text("source")
    if "://" in name:
        raise fields.refuses(f"source={name[:80]}", "Give a package that holds all of its files.")
    content = archive.read(name.removeprefix("./"), limit)
    stated = fields.text("sha256", "")
    if stated and hashlib.sha256(content).hexdigest() != stated.lower():
        raise fields.refuses(f"another checksum than {name}", "Fetch the package again.")
    return content
