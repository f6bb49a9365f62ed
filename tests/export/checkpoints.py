"""Checkpoints of tiny untrained networks, as a training writes them."""

from pathlib import Path
from typing import Any

import torch
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from torch import nn

from unet_exp.configuration import schema
from unet_exp.configuration.groups import CONF
from unet_exp.runs.planned import settle_plan
from unet_exp.training.trained import with_parts

#: A network of each kind of geometry.
KINDS = {
    "valid": ("model.padding=valid", "model.norm=batch"),
    "same": ("model.padding=same", "model.norm=none"),
    "sliding_window": ("model=sliding_window", "model.maps=2", "model.hidden=3"),
}


def save_checkpoint(path: Path, *words: str) -> Path:
    """Write the checkpoint of a network whose batch norm has seen images."""
    torch.manual_seed(0)
    tiny = [] if "model=sliding_window" in words else ["model.depth=1", "model.base_channels=2"]
    schema.register()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = compose("train", overrides=["name=cells", "plan=none", *tiny, *words])
    settle_plan(cfg, None)
    config: Any = OmegaConf.to_container(cfg, resolve=True)
    parts = with_parts(OmegaConf.create(config))
    for layer in parts.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.running_mean, -0.5, 0.5)
            nn.init.uniform_(layer.running_var, 0.5, 2)
    torch.save({"config": config, "state_dict": parts.state_dict(), "global_step": 7}, path)
    return path
