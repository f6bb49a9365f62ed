"""Documentation of a package: how its network was trained, its scores, and how to use it."""

from typing import Any

from unet_exp.export.exported import Exported
from unet_exp.export.sizes import Sizes
from unet_exp.numbers import format_score
from unet_exp.training.fitted_values import KINDS

NORMALIZATIONS = {
    "zscore": "Each channel has its mean subtracted and is divided by its standard deviation.",
    "percentile": "Each channel is scaled so that its 1st and 99.8th percentile become 0 and 1.",
    "minmax": "Each channel is scaled so that its least and largest value become 0 and 1.",
    "dtype": "Values of 8 bits are divided by 255. Divide values of 16 bits by 257 before.",
    "none": "Grey values are not scaled.",
}


def documentation(exported: Exported, name: str, description: str) -> str:
    """Return the documentation of a package as Markdown."""
    parts = [f"# {name}", description, *usage(exported), *training(exported), *scores(exported)]
    if exported.warnings:
        parts += ["## Warnings", *exported.warnings]
    return "\n\n".join(part for part in parts if part) + "\n"


def usage(exported: Exported) -> list[str]:
    """Return paragraphs on the input and the output."""
    network, sizes = exported.network, Sizes.of(exported.network)
    cut = {
        "valid": f"The output lacks {network.halo} pixels on each side of the image.",
        "same": f"The output has the size of the image. In tiles of a larger image, the outermost "
        f"{network.halo} pixels do not count.",
    }
    return [
        "## Use",
        f"The network takes images of {network.in_channels} channel(s). "
        f"{NORMALIZATIONS[exported.normalization]} The preprocessing of the package does this.",
        f"A side has {sizes.smallest} pixels or more, in steps of {sizes.step}. "
        f"{cut[network.padding]}",
        f"The output has {network.out_channels} channel(s), without softmax or sigmoid. The target "
        "says what they mean:",
        listing(exported.config["target"]),
        "unet_exp divides the result into objects by this postprocessing:",
        listing(exported.config["postprocessing"]),
    ]


def training(exported: Exported) -> list[str]:
    """Return paragraphs on the training."""
    config = exported.config
    return [
        "## Training",
        f"The network was trained with unet_exp for {exported.content.get('global_step', '?')} "
        f"steps, on the data set {class_name(config['dataset'])}.",
        *(f"{part.capitalize()}:\n\n{listing(config[part])}" for part in ("model", "loss")),
    ]


def scores(exported: Exported) -> list[str]:
    """Return a table of the scores of validation images, as the checkpoint holds them."""
    fitted = exported.fitted
    if fitted is None:
        return ["## Validation", "The checkpoint holds no scores."]
    rows = [
        f"| {score} | {' | '.join(format_score(values[kind]) for kind in KINDS)} |"
        for score, values in fitted.scores.items()
    ]
    return [
        "## Validation",
        f"Scores of {fitted.images} validation images. The postprocessing was fitted to the score "
        f"{fitted.criterion}. `left_out` scores each image with the postprocessing fitted to the "
        "others.",
        "\n".join([f"| score | {' | '.join(KINDS)} |", "|---" * (len(KINDS) + 1) + "|", *rows]),
    ]


def class_name(part: dict[str, Any]) -> str:
    """Return the name of the class that a part of a configuration names.

    >>> class_name({"_target_": "unet_exp.models.unet.UNet"})
    'UNet'
    """
    return str(part["_target_"]).rpartition(".")[2]


def listing(part: dict[str, Any]) -> str:
    """Return a part of a configuration as a Markdown list.

    >>> print(listing({"_target_": "unet_exp.models.unet.UNet", "depth": 4}))
    - UNet
    - depth: 4
    """
    values = [f"- {key}: {value}" for key, value in part.items() if not key.startswith("_")]
    return "\n".join([f"- {class_name(part)}", *values])
