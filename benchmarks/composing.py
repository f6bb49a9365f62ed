"""The configuration of a training, as the command line composes it."""

from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig

from unet_exp.configuration import groups, schema
from unet_exp.runs.planned import settle_plan


def composed(data: Path, *overrides: str) -> DictConfig:
    """Configuration of ``train.py plan=none OVERRIDES`` with the images of ``data``."""
    schema.register()
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(groups.CONF), version_base="1.3"):
        words = [*overrides, f"data_dir={data}", "name=benchmark", "plan=none"]
        cfg = compose("train", words, return_hydra_config=True)
    del cfg.hydra
    settle_plan(cfg, None)
    return cfg


def dataset(data: Path, quick: bool) -> tuple[str, list[str]]:
    """Name and overrides of HeLa if ``data`` has it, or of synthetic images of the same size."""
    if quick:
        return "synthetic", ["dataset.size=128", "dataset.train=2", "dataset.validation=1"]
    if (data / "DIC-C2DH-HeLa").exists():
        return "HeLa", ["dataset=hela"]
    return "synthetic", ["dataset.size=512", "dataset.validation=1"]
