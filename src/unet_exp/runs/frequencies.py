"""Frequencies of the classes in the training labels, for weights that balance the classes."""

from typing import Any

from omegaconf import DictConfig, OmegaConf

from unet_exp.configuration.objects import build
from unet_exp.planning.fingerprint import evenly
from unet_exp.weight_maps.class_weights import class_frequencies

KEY = "weight_map.class_frequencies"


def settle_frequencies(cfg: DictConfig, dataset: Any) -> None:
    """Write the frequencies of the classes into ``cfg`` if its weight map balances classes.

    The article balances classes over the training set. The frequencies are kept in the
    configuration, so that later commands weight pixels in the same way. Given frequencies are not
    changed. If there are too many images, evenly spaced ones are counted.
    """
    node = cfg.weight_map
    wanted = node.get("class_balance") and "class_frequencies" in node
    if not wanted or node.class_frequencies is not None:
        return
    samples = [one for one in dataset.split("train") if one.labels is not None]
    if not samples:  # the loaders refuse a data set without labels
        return
    target = build(cfg.target)
    counted = (target.encode(one.labels, one.classes).classes for one in evenly(samples))
    OmegaConf.update(cfg, KEY, class_frequencies(counted))
