"""A synthetic image as an example for an exported network, which may be shared with anybody."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from omegaconf import OmegaConf

from unet_exp.configuration.objects import build
from unet_exp.datasets.synthetic import Synthetic
from unet_exp.export.exported import Exported
from unet_exp.images.scaling import Scaled
from unet_exp.inference.predictor import Predictor
from unet_exp.pictures.colours import coloured, picture

#: Smallest side of the image in pixels.
SIDE = 256
#: Side in pixels of each half of the cover.
COVER = 256


@dataclass(frozen=True)
class Example:
    """An image of 8 bits, the output of a network for it, and a picture of both."""

    image: UInt8[np.ndarray, "1 c h w"]
    output: Float32[np.ndarray, "1 k h2 w2"]
    cover: UInt8[np.ndarray, "H W 3"]


@torch.inference_mode()
def example(exported: Exported) -> Example:
    """Run a network on made-up cells. The cover shows them beside the objects that it finds."""
    network, config = exported.network, OmegaConf.create(exported.config)
    _, side = network.fitting_sizes(max(SIDE, 2 * network.halo + 2 * network.step))
    image = made_up(network.in_channels, side)
    scaled = Scaled(image, exported.normalization)[:, :, :]
    output = network(torch.from_numpy(scaled)[None]).numpy()
    predictor = Predictor(
        [network],
        build(config.target),
        build(config.inference),
        build(config.postprocessing),
    )
    labels = predictor.predict(scaled).instances.numpy()
    nearest = np.arange(COVER) * side // COVER
    base, labels = picture(image, COVER, COVER), labels[np.ix_(nearest, nearest)]
    return Example(image[None], output, np.hstack([base, coloured(base, labels)]))


def made_up(channels: int, side: int) -> UInt8[np.ndarray, "c h w"]:
    """Return an image of made-up cells, always the same.

    >>> made_up(2, 64).shape
    (2, 64, 64)
    """
    cells = Synthetic(1, 1, 1, 0, size=side, in_channels=channels, normalization="none")
    image = np.asarray(cells.split("train")[0].image)
    low, high = image.min(), image.max()
    return np.round(255 * (image - low) / (high - low)).astype(np.uint8)
