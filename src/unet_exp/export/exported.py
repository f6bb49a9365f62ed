"""A trained network, with the information that other programs need."""

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig
from torch import nn

from unet_exp.configuration.objects import to_plain_data
from unet_exp.export.sizes import Sizes
from unet_exp.training.fitted_values import FittedValues, with_fitted
from unet_exp.training.trained import read_trained


@dataclass(frozen=True)
class Exported:
    """A network from a checkpoint, on the CPU, with batch norm folded.

    Attributes
    ----------
    checkpoint
        Path of the checkpoint.
    network
        The network in evaluation mode.
    config
        The configuration of the checkpoint, as plain data, with fitted postprocessing.
    content
        The content of the checkpoint without its weights.
    fitted
        The fitted values of postprocessing and their scores, if the checkpoint has any.
    """

    checkpoint: Path
    network: Any
    config: dict[str, Any]
    content: dict[str, Any]
    fitted: FittedValues | None

    @classmethod
    def read(cls, checkpoint: Path, cfg: DictConfig) -> "Exported":
        """Read a checkpoint; only ``trust`` of ``cfg`` is used.

        Raises CheckpointError if it cannot be used.
        """
        config, network, content = read_trained(checkpoint, DictConfig({"trust": cfg.trust}))
        postprocessing, fitted = with_fitted(checkpoint, config, content, {})
        plain = to_plain_data(config) | {"postprocessing": to_plain_data(postprocessing)}
        network = network.to(memory_format=torch.contiguous_format)  # pyright: ignore
        return cls(checkpoint, network, plain, content, fitted)

    @property
    def normalization(self) -> str:
        """The scaling of each channel of an image: see `unet_exp.images.scaling`."""
        return self.config["dataset"].get("normalization", "none")

    @property
    def scale(self) -> float:
        """Factor by which an image is enlarged before the network sees it."""
        return float(self.config["inference"].get("scale") or 1)

    @property
    def metadata(self) -> dict[str, Any]:
        """The information that a program needs to run the network, as plain data."""
        sizes = Sizes.of(self.network)
        return {
            "unet_exp": version("unet_exp"),
            "in_channels": self.network.in_channels,
            "out_channels": self.network.out_channels,
            "smallest": sizes.smallest,
            "step": sizes.step,
            "halo": self.network.halo,
            "padding": self.network.padding,
            "normalization": self.normalization,
            "scale": self.scale,
            "target": self.config["target"],
            "postprocessing": self.config["postprocessing"],
            "warnings": self.warnings,
        }

    @property
    def warnings(self) -> list[str]:
        """Warnings that a user of the network must know, as sentences."""
        found = self.warning_of_scale, self.warning_of_norm, self.warning_of_nodata
        return [text for text in found if text]

    @property
    def warning_of_scale(self) -> str:
        """A warning that images must be resized first; empty if not."""
        if self.scale == 1:
            return ""
        return (
            f"The network was trained on images that are enlarged by inference.scale={self.scale:g}"
            ". The file holds the network alone: resize each image by this factor before, and the "
            "result back."
        )

    @property
    def warning_of_norm(self) -> str:
        """A warning about layers whose output depends on the whole tile; empty if there is none."""
        for layer in self.network.modules():
            if isinstance(layer, nn.GroupNorm | nn.InstanceNorm2d):
                return (
                    f"The network has {type(layer).__name__}, which normalises each tile by its "
                    "own mean and variance, so tiles may differ where they meet. Run it on whole "
                    "images, or train with model.norm=batch or model.norm=none."
                )
        return ""

    @property
    def warning_of_nodata(self) -> str:
        """A warning about pixels without data, which other programs do not leave out."""
        nodata = self.config["dataset"].get("nodata")
        if nodata in (None, []):
            return ""
        return (
            f"The network was trained with dataset.nodata={nodata}: pixels of this value are left "
            "out of the normalisation and become 0. Other programs do not do so; set these pixels "
            "to a usual grey value first."
        )
