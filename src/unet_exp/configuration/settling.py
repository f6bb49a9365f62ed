"""A configuration settled: what it takes from its surroundings, written down."""

import re

from omegaconf import DictConfig, OmegaConf

from unet_exp.configuration.tree import leaves

#: ``${env:NAME}`` and the like ask something outside of the configuration.
ASKS = re.compile(r"\$\{\s*[\w.]+\s*:")


def settle(cfg: DictConfig) -> DictConfig:
    """Return a copy in which nothing depends on time, environment or command line any more.

    References to other values of the same configuration stay: some are inferred later, such as
    the number of channels from the images.

    >>> OmegaConf.register_new_resolver("answer", lambda: 42, replace=True)
    >>> print(OmegaConf.to_yaml(settle(OmegaConf.create({"a": "${answer:}", "b": "${a}"}))))
    a: 42
    b: ${a}
    """
    raw = OmegaConf.to_container(cfg, resolve=False)
    settled = OmegaConf.create(raw)
    for key, value in leaves(raw):
        if isinstance(value, str) and ASKS.search(value):
            OmegaConf.update(settled, key, OmegaConf.select(cfg, key), force_add=True)
    return settled  # pyright: ignore[reportReturnType] - made from a dictionary
