"""Rebuild a trained network, or several to average, from checkpoints."""

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from hydra.errors import InstantiationException
from omegaconf import DictConfig, OmegaConf
from torch import nn

from unet_exp.configuration.buildable import OTHER, Checker, NotBuildableError, buildable
from unet_exp.configuration.errors import explain
from unet_exp.configuration.objects import build
from unet_exp.configuration.revision import revised
from unet_exp.inference.folding import fold_batch_norm
from unet_exp.inference.predictor import Predictor
from unet_exp.training.assembly import build_parts
from unet_exp.training.checkpoint import CheckpointError, read_content, read_weights
from unet_exp.training.devices import device_type
from unet_exp.training.fitted_values import FittedValues, with_fitted
from unet_exp.training.inspection import Array

#: Settings that must be equal if networks are averaged, with the values in checkpoints of earlier
#: versions, which lack them.
SHARED = {
    "model.in_channels": None, "model.out_channels": None, "dataset.normalization": None,
    "target._target_": None, "inference.scale": 1.0,
}  # fmt: skip


@dataclass(frozen=True)
class Trained:
    """Networks from checkpoints, ready to segment."""

    config: DictConfig
    """The first checkpoint's configuration, with the changes that were given."""
    postprocessing: DictConfig
    """The values of postprocessing in use: those of ``config``, or the fitted values."""
    fitted: FittedValues | None
    """The first checkpoint's fitted values, if they are in use."""
    recorded: list[dict[str, Any]]
    """The configuration that each checkpoint holds, unchanged and unchecked."""
    predictor: Predictor
    origin: str = "not fitted to validation images"
    """Where values of the postprocessing come from that were not fitted."""
    prepare: Callable[[Any], Any] | None = None
    """What is done to an image (c, h, w), read by slices, before it is normalised."""

    def describe_postprocessing(self) -> str:
        """Return the values of postprocessing in use, and where they come from, in one line."""
        part: Any = self.postprocessing
        name = str(part["_target_"]).rpartition(".")[2]
        values = [f"{k}={v}" for k, v in part.items() if k != "fit" and not str(k).startswith("_")]
        fitted = self.fitted
        source = fitted.described(part) if fitted else self.origin
        return f"postprocessing {' '.join([name, *values])}: {source}"


def load(paths: Sequence[Path], cfg: DictConfig) -> Trained:
    """Build the network of a checkpoint, or of several, whose probabilities are averaged.

    Parameters
    ----------
    cfg
        ``accelerator``; ``tta``; ``trust``: targets that may be built besides the project's; and
        parts whose values replace the checkpoint's (see :func:`revised`).

    Raises CheckpointError if a checkpoint cannot be used (see
    :func:`unet_exp.training.checkpoint.read_content`), or the checkpoints differ in images or
    classes.
    """
    device = device_type(cfg.accelerator)
    read = [read_trained(path, cfg) for path in paths]
    config, _, content = read[0]
    for path, (other, _, _) in zip(paths, read, strict=True):
        for key, before in SHARED.items():
            here, first = (OmegaConf.select(one, key, default=before) for one in (other, config))
            if here != first:
                raise CheckpointError(
                    f"{path} has {key}={here}, and {paths[0]} has {first}. Only networks of the "
                    "same images and classes can be averaged. Leave one of them out."
                )
    networks: list[Any] = [network.to(device) for _, network, _ in read]
    given = cfg.get("postprocessing") or {}
    postprocessing, fitted = with_fitted(paths[0], config, content, given)
    with naming_values_of(paths[0], changed=bool(cfg.get("inference") or given)):
        predictor = Predictor(
            networks,
            build(config.target),
            build(config.inference),
            build(postprocessing),
            cfg.tta,
        )
    recorded = [one["config"] for *_, one in read]
    return Trained(config, postprocessing, fitted, recorded, predictor)


def read_trained(path: Path, cfg: DictConfig) -> tuple[DictConfig, nn.Module, dict[str, Any]]:
    """Return changed configuration, network and content of a checkpoint."""
    config, content = read_config(path, cfg)
    return config, build_network(path, config), content


def read_config(path: Path, cfg: DictConfig) -> tuple[DictConfig, dict[str, Any]]:
    """Return the changed configuration of a checkpoint, which may be built, and its content."""
    content = read_content(path)
    held = content["config"]
    try:
        # ``buildable`` keeps only what it has checked, so nothing else can be built.
        config = revised(buildable(held, cfg.trust), cfg)
    except NotBuildableError as error:
        raise CheckpointError(f"{path} was not built: {error}.") from error
    require_size(path, config, content.get("state_dict"))
    return config, content


def read_module_arguments(path: Path, trust: Collection[str] = ()) -> dict[str, Any]:
    """Return arguments of a Lightning module, built from the configuration of a checkpoint.

    The network has random weights. The postprocessing has its fitted values.

    Raises CheckpointError if the checkpoint cannot be used.
    """
    config, content = read_config(path, DictConfig({"trust": list(trust)}))
    recorded = content["config"]
    try:
        # The module writes it into its own checkpoints.
        Checker().plain("config", recorded, names=False)
    except NotBuildableError as error:
        raise CheckpointError(f"{path} was not built: {error}.") from error
    config.postprocessing, _ = with_fitted(path, config, content, {})
    with naming_values_of(path):
        parts = {"network": build(config.model), **build_parts(config)}
    return {
        **parts,
        "monitor": f"val/{config.monitor.metric}",
        "config": recorded,
        "seed": config.seed,
    }


@contextmanager
def naming_values_of(path: Path, changed: bool = False) -> Iterator[None]:
    """Turn the error of a part that refuses a recorded value into one that names the checkpoint.

    If values of the part are ``changed`` by overrides, the error is about these, and stays.
    """
    try:
        yield
    except InstantiationException as error:
        if changed:
            raise
        raise CheckpointError(f"{path} was not built: {explain(error)} {OTHER}.") from error


def build_network(path: Path, config: DictConfig) -> nn.Module:
    """Build the network of a configuration, for inference, with the weights of a checkpoint.

    Raises CheckpointError if the weights are of another architecture.
    """
    with naming_values_of(path):
        parts = with_parts(config)
    take_all_weights(parts, path)
    network = fold_batch_norm(parts["network"].eval())
    return network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]


def take_all_weights(module: nn.Module, path: Path) -> None:
    """Load the weights of a checkpoint into a module that was built from its configuration.

    Raises CheckpointError if they are of another architecture.
    """
    weights = read_weights(path)
    try:
        module.load_state_dict(weights)
    except RuntimeError as error:
        raise CheckpointError(
            f"{path} is of another architecture than its own configuration says "
            f"({str(error).splitlines()[-1].strip()[:200]}). Take the checkpoint as training wrote "
            "it, with the version of unet_exp that wrote it."
        ) from error


def with_parts(config: DictConfig) -> nn.ModuleDict:
    """Build network and loss: the modules whose weights a checkpoint holds."""
    return nn.ModuleDict({"network": build(config.model), "loss": build(config.loss)})


def require_size(path: Path, config: DictConfig, arrays: Any) -> None:
    """Refuse a network far larger than its recorded weights, before memory is allocated.

    Parameters
    ----------
    arrays
        The weights as :func:`unet_exp.training.inspection.inspect` returns them.

    Raises CheckpointError with both sizes, or if there are no weights.
    """
    found = list(arrays.values()) if isinstance(arrays, dict) else []
    weights = [one for one in found if isinstance(one, Array)]
    if not weights or len(weights) < len(found):
        raise CheckpointError(f"{path} has no weights under state_dict: it is not from unet_exp.")
    held = sum(math.prod(one.shape) for one in weights)
    with torch.device("meta"), naming_values_of(path):
        asked = sum(tensor.numel() for tensor in with_parts(config).state_dict().values())
    if asked > 2 * held:
        raise CheckpointError(
            f"{path} is of another architecture than its own configuration says: that needs "
            f"{asked} numbers, and the file holds {held}. Take the checkpoint as training wrote it."
        )
