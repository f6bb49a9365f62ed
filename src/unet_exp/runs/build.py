"""From a configuration to the objects that it names."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from torch import nn
from torchmetrics import MetricCollection

from unet_exp.configuration import schema
from unet_exp.configuration.buildable import NotBuildableError, buildable
from unet_exp.inference.folding import fold_batch_norm
from unet_exp.inference.predictor import Predictor
from unet_exp.secrets.masking import masked_keys
from unet_exp.training.checkpoint import CheckpointError, read_content, read_weights
from unet_exp.training.inspection import Array
from unet_exp.training.loaders import Loaders

if TYPE_CHECKING:
    from unet_exp.training.module import SegmentationModule


def build(node: DictConfig, **arguments: Any) -> Any:
    """Build what a node's ``_target_`` names, with plain lists and dictionaries."""
    return instantiate(node, _convert_="all", **arguments)


def plain(cfg: DictConfig) -> dict[str, Any]:
    """Return the configuration resolved, as plain data."""
    config = OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
    return {str(key): value for key, value in config.items()} if isinstance(config, dict) else {}


def build_dataset(cfg: DictConfig) -> Any:
    """Build the data set, and write into ``cfg`` what it inferred from its files."""
    try:
        dataset = build(cfg.dataset)
    except Exception as error:
        if keys := masked_keys({"dataset": OmegaConf.to_container(cfg.dataset)}):
            raise ValueError(
                f"{keys[0]} lacks its secret, which no record keeps ({error}). Give {keys[0]}=... "
                "again with it, or let it be looked up: ${oc.env:NAME}."
            ) from error
        raise
    for name in ("in_channels", "num_classes"):
        if cfg.dataset[name] is None:
            cfg.dataset[name] = getattr(dataset, name)
    return dataset


def build_loaders(cfg: DictConfig, dataset: Any, network: Any) -> Loaders:
    """Build the loaders of a data set for a network.

    Raises
    ------
    ValueError
        If the labels have more classes than the network tells apart.
    """
    # One sigmoid channel tells two classes apart.
    told_apart = max(2, getattr(network, "out_channels", dataset.num_classes))
    if dataset.num_classes > told_apart:
        raise ValueError(
            f"The labels have {dataset.num_classes} classes, and the network tells {told_apart} "
            f"apart. Give model.out_channels={dataset.num_classes}."
        )
    return build(cfg.loader)(
        dataset=dataset,
        network=network,
        weight_map=build(cfg.weight_map),
        augmentation=build(cfg.augmentation) if "augmentation" in cfg else no_augmentation,
        # Own images say where they lie; what is computed from them is kept beside them.
        data_dir=getattr(dataset, "root", Path(cfg.data_dir)),
    )


def no_augmentation(**_: Any) -> Callable[..., Any]:
    """Stand where only whole images are asked for."""
    raise ValueError("This configuration has no augmentation, so it cannot train.")


def build_metrics(cfg: DictConfig) -> dict[str, Any]:
    """Build the metrics by name; one that is null is left out.

    Raises
    ------
    ValueError
        If one is given values but not chosen.
    """
    chosen = {str(name): node for name, node in cfg.metric.items() if node is not None}
    for name, node in chosen.items():
        if not isinstance(node, DictConfig) or node.get("_target_") is None:
            raise ValueError(
                f"metric.{name} is given values, but not measured. Add metric=[{name}], or leave "
                f"it out: ~metric.{name}."
            )
    return {name: build(node) for name, node in chosen.items()}


def build_module(cfg: DictConfig, network: Any, **training: Any) -> "SegmentationModule":
    """Build the Lightning module around a network."""
    from unet_exp.training.module import SegmentationModule

    return SegmentationModule(
        network=network,
        loss=build(cfg.loss),
        metrics=build_metrics(cfg),
        inference=build(cfg.inference),
        postprocessing=build(cfg.postprocessing),
        **training,
    )


#: Parts of a trained network's configuration that may be changed afterwards.
CHANGEABLE = ("dataset", "loader", "metric", "inference", "postprocessing")
#: What networks must have in common to be averaged.
SHARED = ("model.in_channels", "model.out_channels", "dataset.normalization", "loss._target_")


def revised(held: dict[str, Any], cfg: DictConfig) -> DictConfig:
    """Return a checkpoint's configuration with the values that ``cfg`` gives instead.

    A part that names its option (``postprocessing=watershed``) takes the place of the whole part,
    single values (``+postprocessing.threshold=0.4``) that of the same values.

    Raises
    ------
    OmegaConfBaseException
        If the part has no such value, or one of another type.
    ValueError
        If ``cfg`` changes a part that training has fixed.
    """
    fixed = [part for part in held if part in schema.PACKAGES and part not in CHANGEABLE]
    if wrong := [part for part in fixed if cfg.get(part)]:
        raise ValueError(
            f"{wrong[0]} was fixed in training, so it cannot be changed now. What can be: "
            f"{', '.join(CHANGEABLE)}."
        )
    if cfg.get("data_dir"):
        held = {**held, "data_dir": cfg.data_dir}
        dataset = held.get("dataset", {})
        if dataset and "data_dir" in {one.name for one in schema.parameters(dataset["_target_"])}:
            held["dataset"] = {**dataset, "data_dir": cfg.data_dir}
    config = DictConfig(held)
    for part in CHANGEABLE:
        changes = OmegaConf.to_container(cfg[part]) if cfg.get(part) else {}
        nodes = {part: (held[part], changes)} if changes else {}
        if part == "metric" and isinstance(changes, dict):
            require_metrics(held[part], changes)
            nodes = {f"{part}.{k}": (held[part].get(k, {}), v) for k, v in changes.items() if v}
            for name in (name for name, change in changes.items() if change is None):
                del config[part][name]
        for place, (old, new) in nodes.items():
            OmegaConf.update(config, place, checked(place, old, new), merge=False)
    return config


def require_metrics(held: Mapping[str, Any], changes: Mapping[Any, Any]) -> None:
    """Refuse to take away a metric that is not there, or all of them.

    Raises
    ------
    ValueError
        Naming those that there are.
    """
    taken = [name for name, change in changes.items() if change is None]
    if unknown := [name for name in taken if name not in held]:
        raise ValueError(
            f"There is no metric.{unknown[0]} to take away. There are {', '.join(held)}."
        )
    if set(held) <= set(taken) and len(taken) == len(changes):
        raise ValueError("Without any metric there is nothing to score. Leave one of them.")


def checked(place: str, held: dict[str, Any], change: Any) -> Any:
    """Return a part with changed values, whose signature refuses wrong names and types.

    >>> part = {"_target_": "unet_exp.postprocessing.components.Components", "threshold": 0.5}
    >>> checked("postprocessing", part, {"treshold": 0.4})
    Traceback (most recent call last):
    omegaconf.errors.ConfigKeyError: Key 'treshold' not in 'Components'
        full_key: postprocessing.treshold
        object_type=Components
    """
    if not isinstance(change, dict):
        raise ValueError(
            f"{place}={change} is no part. Give one of its values: {place}.NAME=VALUE."
        )
    held = {} if "_target_" in change else held
    target = {**held, **change}.get("_target_")
    if target is None:
        raise ValueError(f"The checkpoint has no {place}. Choose an option: {place}=NAME.")
    node: Any = OmegaConf.structured(schema.schema(target, {*held, *change}))
    # Inside its place, so that an error names the whole key.
    for name in reversed(place.split(".")):
        node, held, change = {name: node}, {name: held}, {name: change}
    return OmegaConf.select(OmegaConf.merge(node, held, change), place)


@dataclass(frozen=True)
class Trained:
    """What checkpoints hold, ready to segment and to score."""

    config: DictConfig
    """The first checkpoint's, with the values that were given instead."""
    recorded: list[dict[str, Any]]
    """The configuration of each checkpoint as it stands there, of which nothing is built."""
    predictor: Predictor
    metrics: MetricCollection


def load(paths: Sequence[Path], cfg: DictConfig) -> Trained:
    """Build what one checkpoint holds, or several whose mean counts, changed as ``cfg`` says.

    ``cfg`` may hold parts of the configuration whose values take the place of the checkpoint's
    (see :func:`revised`), ``trust``, targets that it may build besides ours, and ``tta``.

    Raises
    ------
    CheckpointError
        If a checkpoint cannot be used (see :func:`unet_exp.training.checkpoint.read_content`),
        or they take other images or tell other classes apart.
    """
    device = chosen_device(cfg.accelerator)
    read = [read_trained(path, cfg) for path in paths]
    config, _, loss, _ = read[0]
    for path, (other, _, _, _) in zip(paths, read, strict=True):
        for key in SHARED:
            if OmegaConf.select(other, key) != OmegaConf.select(config, key):
                raise CheckpointError(
                    f"{path} has {key}={OmegaConf.select(other, key)}, and {paths[0]} has "
                    f"{OmegaConf.select(config, key)}. Only networks of the same images and "
                    "classes can be averaged: leave one of them out."
                )
    networks: list[Any] = [network.to(device) for _, network, _, _ in read]
    predictor = Predictor(
        networks,
        loss.probabilities,
        build(config.inference),
        build(config.postprocessing),
        cfg.tta,
    )
    metrics = MetricCollection(build_metrics(config), compute_groups=False)
    return Trained(config, [recorded for *_, recorded in read], predictor, metrics)


def chosen_device(accelerator: str) -> str:
    """Return torch's name of a device.

    Raises
    ------
    ValueError
        If it does not exist, here or at all.
    """
    available = torch.cuda.is_available()
    devices = {"auto": "cuda" if available else "cpu", "cpu": "cpu", "gpu": "cuda", "cuda": "cuda"}
    if accelerator not in devices:
        raise ValueError(f"accelerator={accelerator} is not known. Choose auto, cpu or gpu.")
    if devices[accelerator] == "cuda" and not available:
        raise ValueError(
            f"accelerator={accelerator}, but torch {torch.__version__} sees no GPU here. Take "
            "accelerator=cpu, or install the CUDA build of torch that fits the driver."
        )
    return devices[accelerator]


def read_trained(path: Path, cfg: DictConfig) -> tuple[DictConfig, nn.Module, Any, dict[str, Any]]:
    """Return a checkpoint's configuration, changed as ``cfg`` says, its network and its loss.

    The last is the configuration as it stands in the checkpoint.
    """
    content = read_content(path)
    held = content["config"]
    try:
        # Only what was checked is kept, so nothing else can be built.
        config = revised(buildable(held, cfg.trust), cfg)
    except NotBuildableError as error:
        raise CheckpointError(f"{path} was not built: {error}.") from error
    require_size(path, config, content.get("state_dict"))
    weights = read_weights(path)
    parts = with_parts(config)
    try:
        parts.load_state_dict(weights)
    except RuntimeError as error:
        raise CheckpointError(
            f"{path} is of another architecture than its own configuration says "
            f"({str(error).splitlines()[-1].strip()}). Take the checkpoint as training wrote it."
        ) from error
    network = fold_batch_norm(parts["network"].eval())
    network = network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    return config, network, parts["loss"], held


def with_parts(config: DictConfig) -> nn.ModuleDict:
    """Build the network and the loss, whose weights a checkpoint holds."""
    return nn.ModuleDict({"network": build(config.model), "loss": build(config.loss)})


def require_size(path: Path, config: DictConfig, arrays: Any) -> None:
    """Refuse a network that would need far more memory than its weights, before it takes it.

    Parameters
    ----------
    arrays
        The weights, as :func:`unet_exp.training.inspection.inspect` tells of them.

    Raises
    ------
    CheckpointError
        With the numbers of both, or if there are no weights.
    """
    found = list(arrays.values()) if isinstance(arrays, dict) else []
    weights = [one for one in found if isinstance(one, Array)]
    if not weights or len(weights) < len(found):
        raise CheckpointError(f"{path} has no weights under state_dict: it is not from unet_exp.")
    held = sum(math.prod(one.shape) for one in weights)
    with torch.device("meta"):
        asked = sum(tensor.numel() for tensor in with_parts(config).state_dict().values())
    if asked > 2 * held:
        raise CheckpointError(
            f"{path} is of another architecture than its own configuration says, which asks for "
            f"{asked} numbers of the {held} that it holds. Take the checkpoint as training wrote "
            "it."
        )
