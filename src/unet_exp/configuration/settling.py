"""Replace references to the environment in a configuration by their values."""

import re

from omegaconf import DictConfig, OmegaConf

from unet_exp.configuration.tree import leaves

#: ``${oc.env:NAME}``, ``${now:...}`` and similar ones read something outside of the configuration.
#: ``${of_target:NAME}`` reads the target and the number of classes, which may be set later.
RESOLVERS = re.compile(r"\$\{\s*(?!of_target\b)[\w.]+\s*:")


def settle(cfg: DictConfig) -> DictConfig:
    """Return a copy in which nothing depends on time, environment or command line.

    References to other values of the configuration remain, because some values, such as the number
    of channels, are set later.

    >>> OmegaConf.register_new_resolver("answer", lambda: 42, replace=True)
    >>> print(OmegaConf.to_yaml(settle(OmegaConf.create({"a": "${answer:}", "b": "${a}"}))))
    a: 42
    b: ${a}
    """
    raw = OmegaConf.to_container(cfg, resolve=False)
    settled = OmegaConf.create(raw)
    for key, value in leaves(raw):
        if isinstance(value, str) and RESOLVERS.search(value):
            OmegaConf.update(settled, key, OmegaConf.select(cfg, key), force_add=True)
    return settled  # pyright: ignore[reportReturnType] - made from a dictionary
