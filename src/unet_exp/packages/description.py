"""The description of a package, ``rdf.yaml``: the input and the output of its network.

The format is the BioImage.IO model description 0.5
(https://bioimage-io.github.io/spec-bioimage-io). Descriptions of version 0.4 are converted first.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from unet_exp.packages.archive import Archive, PackageError
from unet_exp.packages.earlier_format import converted
from unet_exp.packages.fields import Fields

#: Names of the description, the usual one first.
NAMES = ("rdf.yaml", "bioimageio.yaml", "model.yaml")
#: Limits of a description: bytes, values, and characters of a value that is not text.
LARGEST, MOST, LONGEST = 2**20, 100_000, 100
#: Largest plausible side, step or number of channels.
HUGE = 2**16


@dataclass(frozen=True)
class Sides:
    """The sides of images that a network accepts: ``smallest`` plus any number of steps.

    If ``step`` is 0, only one side is accepted.
    """

    smallest: int
    step: int


@dataclass(frozen=True)
class Description:
    """A package's description of its network.

    Attributes
    ----------
    name
        Name of the package in messages.
    axes
        Letters of the axes of input and output, such as ``bcyx``.
    channels
        Numbers of channels of input and output.
    sides
        Accepted sides of an image.
    lost
        Number of pixels by which the output is shorter than the input, along an axis.
    halo
        Number of pixels at each end of the output that are not valid.
    preprocessing, postprocessing
        Steps in the format of the description.
    weights, test_output
        Names of members.
    unet_exp
        Data that `unet_exp.export` wrote, unchecked; None for packages of other programs.
    """

    name: str
    axes: tuple[str, str]
    channels: tuple[int, int]
    sides: Sides
    lost: int
    halo: int
    preprocessing: list[Fields]
    postprocessing: list[Fields]
    weights: Fields
    test_output: Fields
    unet_exp: Fields | None


def read_description(archive: Archive) -> Description:
    """Return the checked description of a package.

    Raises PackageError if there is none, or it describes a network that cannot be used here.
    """
    name = next((one for one in NAMES if one in archive.members), None)
    if name is None:
        raise PackageError(
            f"{archive.path} is no BioImage.IO package: it has no {NAMES[0]}. Give a package, or "
            "a checkpoint (.ckpt)."
        )
    raw = parse(archive.read(name, LARGEST), f"{name} in {archive.path}")
    fields = Fields(raw, f"{name} in {archive.path}")
    kind, version = fields.text("type"), fields.text("format_version")
    if kind != "model" or version.rpartition(".")[0] not in ("0.4", "0.5"):
        raise fields.refuses(
            f"type={kind}, format_version={version}", "Give a model of format_version 0.4 or 0.5."
        )
    if version.startswith("0.4"):
        fields = Fields(converted(fields), fields.where)
    return described(fields)


def described(fields: Fields) -> Description:
    """Return the description in the fields of version 0.5."""
    inputs, outputs = fields.records("inputs"), fields.records("outputs")
    if len(inputs) != 1 or len(outputs) != 1:
        raise fields.refuses(
            f"{len(inputs)} inputs and {len(outputs)} outputs",
            "Give a network that takes one image and gives one.",
        )
    (taken,), (given,) = inputs, outputs
    before, after = axes_of(taken), axes_of(given)
    sides, lost, halo = geometry(before, after)
    weights = fields.record("weights")
    if "onnx" not in weights.value:
        raise weights.refuses(
            f"weights of the kind {', '.join(map(str, weights.value)) or 'none'}",
            "Give one with ONNX weights: other kinds run code of the package.",
        )
    config = fields.record("config", {})
    return Description(
        name=fields.text("name"),
        axes=("".join(before), "".join(after)),
        channels=(channels_of(before), channels_of(after)),
        sides=sides,
        lost=lost,
        halo=halo,
        preprocessing=taken.records("preprocessing", []),
        postprocessing=given.records("postprocessing", []),
        weights=weights.record("onnx"),
        test_output=given.record("test_tensor", {}),
        unet_exp=config.record("unet_exp") if "unet_exp" in config.value else None,
    )


def axes_of(tensor: Fields) -> dict[str, Fields]:
    """Return the axes of a tensor by letter (b, c, y, x), in their order.

    Raises PackageError for other axes, unless their length is 1.
    """
    found: dict[str, Fields] = {}
    for axis in tensor.records("axes"):
        kind, name = axis.text("type"), name_of(axis)
        letter = {"batch": "b", "channel": "c", "space": name}.get(kind, kind[:1])
        if letter in found:
            raise axis.refuses(f"the axis {name} twice", "Give each axis once.")
        if letter not in "bcyx" and axis.value.get("size") != 1:
            raise axis.refuses(
                f"the axis {name}", "Give a network for 2D images, with the axes y and x."
            )
        found[letter] = axis
    if not {"y", "x"} <= set(found):
        raise tensor.refuses(f"the axes {', '.join(found)}", "Give a network with axes y and x.")
    return found


def name_of(axis: Fields) -> str:
    """Return the name of an axis: its own, or that of its type."""
    kind = axis.text("type")
    return axis.text("id", "x" if kind == "space" else kind)


def channels_of(axes: Mapping[str, Fields]) -> int:
    """Return the number of channels; 1 without an axis of channels."""
    if "c" not in axes:
        return 1
    axis = axes["c"]
    if "channel_names" in axis.value:
        return len(axis.several("channel_names"))
    return axis.number("size", 1, HUGE)


def geometry(before: Mapping[str, Fields], after: Mapping[str, Fields]) -> tuple[Sides, int, int]:
    """Return the sides of the input, the pixels that the output lacks, and its halo.

    Raises PackageError if rows and columns differ, or if the output has another scale.
    """
    found = {letter: along(before[letter], after[letter]) for letter in "yx"}
    if found["y"] != found["x"]:
        raise before["y"].refuses(
            "sizes of y that differ from those of x", "Give a network that treats them alike."
        )
    return found["y"]


def along(axis: Fields, output: Fields) -> tuple[Sides, int, int]:
    """Return sides, lost pixels and halo along one axis."""
    size, result = axis.value.get("size"), output.value.get("size")
    if isinstance(size, int):
        sides = Sides(axis.number("size", 1, HUGE), 0)
    else:
        given = axis.record("size")
        sides = Sides(given.number("min", 1, HUGE), given.number("step", 1, HUGE))
    if axis.value.get("scale", 1) != output.value.get("scale", 1):
        raise output.refuses(
            "another scale than the image", "Give a network whose output has the image's pixels."
        )
    if isinstance(result, int) and not sides.step:
        lost = sides.smallest - output.number("size", 1, HUGE)
    else:
        reference = output.record("size")
        if reference.text("axis_id") != name_of(axis):
            raise reference.refuses(
                "a size that follows another axis", "Let y follow y, and x follow x."
            )
        lost = -reference.number("offset", -HUGE, 0, 0)
    halo = output.number("halo", 0, HUGE, 0)
    if lost < 0 or (sides.smallest - lost - 2 * halo < 1 and not sides.step):
        raise output.refuses(
            f"an output of {sides.smallest - lost} pixels with a halo of {halo}, of an image of "
            f"{sides.smallest}",
            "Give a network whose output lies within its image.",
        )
    return sides, lost, halo


def parse(content: bytes, where: str) -> Any:
    """Return the data in a YAML file.

    Raises PackageError if it is no YAML, is nested too deeply, or becomes too large by references.

    >>> parse(b"{a: &sizes [8, 4], b: *sizes}", "rdf.yaml")
    {'a': [8, 4], 'b': [8, 4]}
    >>> parse(b"&all [*all, *all]", "rdf.yaml")
    Traceback (most recent call last):
    unet_exp.packages.archive.PackageError: rdf.yaml has more than 100000 values, references...
    """
    try:
        loader = yaml.SafeLoader(content)
        node = loader.get_single_node()
        require_modest(node)
        return loader.construct_document(node) if node else None
    except (yaml.YAMLError, RecursionError, ValueError, OverflowError) as error:
        why = " ".join(str(error).split())[:200]
        raise PackageError(f"{where} {why}. Write it as plain YAML.") from error


def require_modest(root: Any) -> None:
    """Raise ValueError for YAML that takes long to read, because of references or long numbers."""
    waiting, count = [root], 0
    while waiting:
        node = waiting.pop()
        count += 1
        if count > MOST:
            raise ValueError(f"has more than {MOST} values, references included")
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
        elif isinstance(node, yaml.MappingNode):
            waiting += [part for pair in node.value for part in pair]
        elif node and node.tag != yaml.SafeLoader.DEFAULT_SCALAR_TAG and len(node.value) > LONGEST:
            raise ValueError(f"has a number of {len(node.value)} letters")
