"""From a configuration to the objects that it names."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from unet_exp import schema
from unet_exp.training.loaders import Loaders

if TYPE_CHECKING:
    from unet_exp.training.module import SegmentationModule


def build(node: DictConfig, **arguments: Any) -> Any:
    """Build what a node's ``_target_`` names, with plain lists and dictionaries."""
    return instantiate(node, _convert_="all", **arguments)


def build_dataset(cfg: DictConfig) -> Any:
    """Build the data set, and write into ``cfg`` what it inferred from its files."""
    dataset = build(cfg.dataset)
    for name in ("in_channels", "num_classes"):
        if cfg.dataset[name] is None:
            cfg.dataset[name] = getattr(dataset, name)
    return dataset


def build_loaders(cfg: DictConfig, dataset: Any, network: Any) -> Loaders:
    """Build the loaders of a data set for a network."""
    return build(cfg.loader)(
        dataset=dataset,
        network=network,
        weight_map=build(cfg.weight_map),
        augmentation=build(cfg.augmentation) if "augmentation" in cfg else no_augmentation,
        data_dir=Path(cfg.data_dir),
    )


def no_augmentation(**_: Any) -> Callable[..., Any]:
    """Stand where only whole images are asked for."""
    raise ValueError("This configuration has no augmentation, so it cannot train.")


def build_module(cfg: DictConfig, network: Any, **training: Any) -> "SegmentationModule":
    """Build the Lightning module around a network."""
    from unet_exp.training.module import SegmentationModule

    return SegmentationModule(
        network=network,
        loss=build(cfg.loss),
        metrics={str(name): build(node) for name, node in cfg.metric.items()},
        inference=build(cfg.inference),
        postprocessing=build(cfg.postprocessing),
        **training,
    )


def load(path: Path, cfg: DictConfig) -> tuple[DictConfig, "SegmentationModule"]:
    """Return a checkpoint's configuration, changed as ``cfg`` says, and its trained module.

    ``cfg`` may hold any part of the configuration (``postprocessing``, ``dataset``, ...) whose
    values take the place of the checkpoint's, and ``trust``, targets it may build besides ours.

    Raises
    ------
    CheckpointError
        If the checkpoint cannot be used: see :func:`unet_exp.training.checkpoint.read_checkpoint`.
    """
    from unet_exp.training.checkpoint import PARTS, CheckpointError, read_checkpoint

    content = read_checkpoint(path, schema.allowed_targets() | set(cfg.trust))
    config = DictConfig(content["config"])
    for part in (*PARTS, "loader"):
        if cfg.get(part):
            config[part] = OmegaConf.merge(config[part], cfg[part])
    if cfg.get("data_dir"):
        config.data_dir = cfg.data_dir
        if "data_dir" in config.dataset:
            config.dataset.data_dir = cfg.data_dir
    network = build(config.model)
    module = build_module(config, network)
    state = {
        name: value
        for name, value in content["state_dict"].items()
        if name.startswith(("network.", "loss."))
    }
    try:
        module.load_state_dict(state, strict=False)
        network.load_state_dict(
            {k.removeprefix("network."): v for k, v in state.items() if k.startswith("network.")}
        )
    except RuntimeError as error:
        raise CheckpointError(
            f"{path} is of another architecture than its own configuration says "
            f"({str(error).splitlines()[-1].strip()}). Take the checkpoint as training wrote it."
        ) from error
    module.eval()
    device = "cuda" if torch.cuda.is_available() and cfg.accelerator != "cpu" else "cpu"
    return config, module.to(device)
