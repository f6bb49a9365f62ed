"""Write the composed configuration into ``.hydra/``, without secrets."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from unet_exp.files import replacing
from unet_exp.records.run_folder import RunFolder
from unet_exp.records.sweep_folder import SweepFolder
from unet_exp.secrets.masking import masked


def write_hydra_files(cfg: DictConfig) -> None:
    """Write the configuration, Hydra's own part and the overrides into the folder of this job.

    Hydra would write them with their secrets. If Hydra has written its files, they are replaced.
    """
    hydra: Any = HydraConfig.get()
    run = RunFolder(Path(hydra.runtime.output_dir))
    folder = run.path / (hydra.output_subdir or run.hydra.name)
    parts = {
        folder / run.config.name: cfg,
        folder / "hydra.yaml": OmegaConf.create({"hydra": OmegaConf.to_container(hydra)}),
        folder / run.overrides.name: hydra.overrides.task,
    }
    new = [path for path in parts if not path.exists()]
    try:
        for path, part in parts.items():
            write(part, path)
    except OSError:  # remove it: an incomplete configuration is worse than none
        for path in new:
            path.unlink(missing_ok=True)
        with suppress(OSError):
            folder.rmdir()
        raise
    # Hydra's own sweeper, if it is chosen, has written this.
    of_sweep = SweepFolder(Path(hydra.sweep.dir)).hydra
    if not OmegaConf.is_missing(hydra.job, "num") and of_sweep.is_file():
        write(OmegaConf.load(of_sweep), of_sweep)


def write(cfg: Any, path: Path) -> None:
    """Write a configuration as YAML without secrets, unless the file already has that text."""
    text = to_yaml(cfg)
    if not path.is_file() or path.read_bytes() != text.encode():
        with replacing(path) as part:
            part.write_text(text)


def to_yaml(cfg: Any) -> str:
    """Return a configuration as YAML without secrets; references stay references.

    >>> print(to_yaml(OmegaConf.create({"token": "abc", "url": "http://me:${oc.env:PW}@host"})))
    token: '***'
    url: http://me:${oc.env:PW}@host
    """
    plain = OmegaConf.to_container(cfg, resolve=False, enum_to_str=True)
    return OmegaConf.to_yaml(OmegaConf.create(masked(plain)))
