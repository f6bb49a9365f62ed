"""Build data set, loaders, metrics and the parts of a module from a configuration."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from unet_exp.configuration.objects import build
from unet_exp.configuration.tree import leaves
from unet_exp.datasets.dataset import require_dataset
from unet_exp.models.network import require_network
from unet_exp.secrets.masking import is_masked
from unet_exp.targets.target import require_target
from unet_exp.training.loaders import Loaders


def build_dataset(cfg: DictConfig) -> Any:
    """Build the data set; write what it inferred into ``cfg``: channels, classes, pixel size.

    Raises ValueError if its options need a secret that the record does not hold, and TypeError or
    ValueError if it is no data set (see `require_dataset`).
    """
    try:
        dataset = build(cfg.dataset)
    except Exception as error:
        values = leaves({"dataset": OmegaConf.to_container(cfg.dataset)})
        if keys := [key for key, one in values if isinstance(one, str) and is_masked(one)]:
            raise ValueError(
                f"{keys[0]} lacks its secret, which no record keeps ({error}). Give {keys[0]}=... "
                "again with it, or read it from the environment: ${oc.env:NAME}."
            ) from error
        raise
    require_dataset(dataset)
    for name in ("in_channels", "num_classes", "channels", "pixel_size"):
        if name in cfg.dataset and cfg.dataset[name] is None:
            cfg.dataset[name] = getattr(dataset, name)
    return dataset


def build_loaders(cfg: DictConfig, dataset: Any, network: Any) -> Loaders:
    """Build the loaders of a data set for a network.

    Raises ValueError if the labels have more classes than the target distinguishes.
    """
    target = build(cfg.target)
    require_network(network)
    require_target(target)
    if dataset.num_classes > target.num_classes:
        raise ValueError(
            f"The labels have {dataset.num_classes} classes, and the target distinguishes "
            f"{target.num_classes}. Train with target.num_classes={dataset.num_classes}."
        )
    return build(cfg.loader)(
        dataset=dataset,
        network=network,
        target=target,
        weight_map=build(cfg.weight_map),
        augmentation=build(cfg.augmentation) if "augmentation" in cfg else no_augmentation,
        # Caches are kept beside the images. A data set of the user's images knows its folder.
        data_dir=getattr(dataset, "root", Path(cfg.data_dir)),
    )


def no_augmentation(**_: Any) -> Callable[..., Any]:
    """Replace the augmentation where only whole images are read."""
    raise ValueError("This configuration has no augmentation, so it cannot train.")


def build_metrics(cfg: DictConfig) -> dict[str, Any]:
    """Build the metrics by name, without those that are null.

    Raises ValueError if a metric has values but was not chosen.
    """
    # torchmetrics takes half as long to import as torch, and prediction needs no metric.
    from unet_exp.metrics.score import require_score

    chosen = {str(name): node for name, node in cfg.metric.items() if node is not None}
    for name, node in chosen.items():
        if not isinstance(node, DictConfig) or node.get("_target_") is None:
            raise ValueError(
                f"metric.{name} has values, but is not measured. Add metric=[{name}], or remove "
                f"them: ~metric.{name}."
            )
    metrics = {name: build(node) for name, node in chosen.items()}
    for name, metric in metrics.items():
        require_score(name, metric)
    return metrics


def build_parts(cfg: DictConfig) -> dict[str, Any]:
    """Build the arguments of a Lightning module, except the network, by name."""
    return {
        "target": build(cfg.target),
        "loss": build(cfg.loss),
        "metrics": build_metrics(cfg),
        "inference": build(cfg.inference),
        "postprocessing": build(cfg.postprocessing),
    }
