"""Compose and check the configuration of a command in this Python process."""

import logging
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import DictConfig, open_dict
from omegaconf.errors import OmegaConfBaseException

from unet_exp.configuration import schema
from unet_exp.configuration.errors import explain
from unet_exp.configuration.groups import CONF
from unet_exp.configuration.overrides import CommandLine
from unet_exp.configuration.own_options import find_own_options
from unet_exp.configuration.paths import choose_folder, tidy
from unet_exp.configuration.quoting import in_quotes
from unet_exp.runs.check import check
from unet_exp.runs.refusals import FolderBefore
from unet_exp.secrets.masking import learn
from unet_exp.shown import screened


def as_overrides(values: Mapping[str, Any]) -> list[str]:
    """Write values as overrides by key; values that are None are left out.

    >>> as_overrides({"tta": "none", "inference.tile": None, "trust": ["my_lab.Net"]})
    ['tta="none"', 'trust=["my_lab.Net"]']
    """
    return [f"{key}={as_text(value)}" for key, value in values.items() if value is not None]


def as_text(value: Any) -> str:
    """Write a value in the form that Hydra reads.

    >>> as_text([True, 2, "a b"])
    '[true,2,"a b"]'
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{','.join(map(as_text, value))}]"
    return in_quotes(os.fspath(value)) if isinstance(value, str | os.PathLike) else str(value)


@contextmanager
def explained(command: str) -> Iterator[None]:
    """Turn errors of Hydra and OmegaConf into a ValueError with a clear message."""
    try:
        yield
    except (HydraException, OmegaConfBaseException) as error:
        raise ValueError(explain(error, command)) from error


def compose(command: str, overrides: Sequence[str], whole: bool = False) -> DictConfig:
    """Return the configuration of a command; ``whole`` adds Hydra's own part.

    Raises ValueError if an override is wrong.
    """
    schema.register()
    learn(overrides)
    outer = GlobalHydra.instance().hydra  # that of a caller that also uses Hydra
    GlobalHydra.instance().clear()
    try:
        with explained(command):
            line = CommandLine.read(overrides, command)
            find_own_options(line)
            with hydra.initialize_config_dir(str(CONF), command, "1.3"):
                return hydra.compose(command, overrides=line.texts(), return_hydra_config=whole)
    finally:
        GlobalHydra.instance().hydra = outer


@contextmanager
def job(
    command: str, overrides: Sequence[str], progress: bool = True
) -> Iterator[tuple[DictConfig, Path]]:
    """Yield the checked configuration of a command, and the new folder of its results.

    If a job is refused, its folder is removed. Secrets are masked in the output and the log of the
    body. Without ``progress``, nothing is shown.

    Raises ValueError or FileNotFoundError if the configuration cannot work.
    """
    whole = compose(command, overrides, whole=True)
    choose_folder(whole, "run")
    folder = Path(whole.hydra.run.dir).absolute()
    before, outer = FolderBefore(folder), HydraConfig.instance().cfg
    with open_dict(whole.hydra.runtime):
        whole.hydra.runtime.output_dir = str(folder)
    HydraConfig.instance().set_config(whole)
    cfg = whole.copy()
    with open_dict(cfg):
        del cfg["hydra"]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        quiet = nullcontext() if progress else redirect_stdout(StringIO())
        with quiet, screened(), logged(folder / f"{command}.log", progress), explained(command):
            check(cfg, command)
            yield cfg, folder
    except Exception:
        before.restore(folder, f"{command}.log")
        raise
    finally:
        HydraConfig.instance().cfg = outer
        tidy()


@contextmanager
def logged(path: Path, progress: bool) -> Iterator[None]:
    """Write messages to a file, and to the screen if nothing else shows them."""
    logger = logging.getLogger("unet_exp")
    file = logging.FileHandler(path, encoding="utf-8", delay=True)
    file.setFormatter(logging.Formatter("[%(asctime)s][%(name)s][%(levelname)s] %(message)s"))
    handlers: list[logging.Handler] = [file]
    if progress and not logger.hasHandlers():
        handlers.append(logging.StreamHandler(sys.stdout))
    level = logger.level
    logger.setLevel(logging.INFO)
    for handler in handlers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        logger.setLevel(level)
        for handler in handlers:
            logger.removeHandler(handler)
            handler.close()
