"""Build the objects that a configuration names."""

from typing import Any

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf


def build(node: DictConfig, **arguments: Any) -> Any:
    """Build the object of a node's ``_target_``; it gets plain lists and dictionaries."""
    return instantiate(node, _convert_="all", **arguments)


def to_plain_data(cfg: DictConfig) -> dict[str, Any]:
    """Return a configuration as a dictionary, with all interpolations resolved."""
    config = OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
    return {str(key): value for key, value in config.items()} if isinstance(config, dict) else {}
