"""Check a configuration before its task runs."""

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from unet_exp.configuration.checks import validate, validate_single_run
from unet_exp.configuration.hydra_files import write_hydra_files
from unet_exp.configuration.paths import settle_paths
from unet_exp.runs.given_paths import require_paths


def check(cfg: DictConfig, config_name: str) -> None:
    """Settle the paths of a configuration, refuse settings that cannot work, and record the rest.

    Raises ValueError or FileNotFoundError with the override to change.
    """
    if not in_sweep():
        validate_single_run(HydraConfig.get())
    settle_paths(cfg)
    require_paths(cfg, config_name)
    validate(cfg, config_name)
    if config_name not in ("predict", "export") or HydraConfig.get().output_subdir:
        write_hydra_files(cfg)


def in_sweep() -> bool:
    """Tell whether this is a job of a sweep."""
    return HydraConfig.initialized() and not OmegaConf.is_missing(HydraConfig.get().job, "num")
