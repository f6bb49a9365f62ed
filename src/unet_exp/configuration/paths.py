"""The folder that a command writes to, and the paths in its configuration."""

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf, read_write
from omegaconf.errors import OmegaConfBaseException

from unet_exp.configuration.quoting import TEXT, TEXTS, at_home, in_quotes, names_path
from unet_exp.configuration.tree import leaves
from unet_exp.records.sweep_folder import SweepFolder

#: Folders that this process has made for its results. ``tidy`` removes those without results.
made: list[Path] = []


class OutputFolder(Callback):
    """Choose the folder of a run or a sweep before Hydra creates it.

    A folder with the time in its name is always new, even if several commands start in one second.
    """

    def on_run_start(self, config: DictConfig, **_: Any) -> None:
        """Choose ``hydra.run.dir``."""
        with suppress(OmegaConfBaseException):  # Hydra reports this error later
            choose_folder(config, "run")

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        """Choose ``hydra.sweep.dir``."""
        with suppress(OmegaConfBaseException):
            choose_folder(config, "sweep")


def choose_folder(config: DictConfig, kind: str) -> None:
    """Write the folder of this run or sweep into ``hydra.<kind>.dir``."""
    node = config.hydra[kind]
    raw: Any = OmegaConf.to_container(node, resolve=False)
    given = str(node.dir)
    folder = Path(at_home(given))
    if config.hydra.job.chdir:
        folder = folder.absolute()
    if "${now:" in str(raw["dir"]):
        folder = new_folder(folder)
    if folder == Path(given):
        return
    # Each job of a sweep is composed again, from these overrides.
    overrides = config.hydra.overrides.hydra
    with read_write(node), read_write(overrides):
        node.dir = str(folder)
        overrides.append(f"hydra.{kind}.dir={in_quotes(str(folder))}")


def new_folder(path: Path) -> Path:
    """Make a new folder; if it exists, append a number to its name.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [new_folder(Path(folder) / "09-30").name for _ in range(3)]
    ['09-30', '09-30_2', '09-30_3']
    """
    number, folder = 1, path
    while True:
        above = [one for one in folder.parents if not one.exists()]
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            number += 1
            folder = path.with_name(f"{path.name}_{number}")
        except OSError:
            return path  # the first write to it will report the error
        else:
            made.extend([folder, *above])
            return folder


def tidy() -> None:
    """Remove the folders that this process made and that hold no results."""
    for folder in sorted(made, key=lambda path: len(path.parts), reverse=True):
        with suppress(OSError):  # it is not empty, or is gone
            # Hydra's own sweeper writes multirun.yaml even if no job starts.
            if {path.name for path in folder.rglob("*") if not path.is_dir()} == {
                SweepFolder(folder).hydra.name
            }:
                shutil.rmtree(folder)
            else:
                folder.rmdir()
    made.clear()


def settle_paths(cfg: DictConfig) -> None:
    """Replace ``~`` by the home folder in all values of a configuration, except names and tags.

    If Hydra has changed the working directory (``hydra.job.chdir=true``), relative paths become
    absolute, relative to the folder in which the command was started.
    """
    start = None
    if HydraConfig.initialized() and HydraConfig.get().job.chdir:
        start = Path(HydraConfig.get().runtime.cwd)
    for key, value in list(leaves(OmegaConf.to_container(cfg, resolve=False))):
        option = key.partition("[")[0]
        if not isinstance(value, str) or option in (TEXT, TEXTS):
            continue
        is_path = names_path(option)
        if "${" in value:
            # A reference in another option points to a value that is settled itself or is no path.
            value = OmegaConf.select(cfg, key) if is_path else None
        if not isinstance(value, str):
            continue
        settled = at_home(value)
        if start and is_path and settled:
            settled = os.path.join(start, settled)  # noqa: PTH118 - it keeps a slash at the end
        if settled != value:
            OmegaConf.update(cfg, key, settled)


def settle_environment() -> None:
    """Do the same for folders in environment variables, before the working directory changes."""
    for name in ("UNET_EXP_DATA", "UNET_EXP_CACHE"):
        if value := os.environ.get(name):
            os.environ[name] = at_home(value)
    if cache := os.environ.get("UNET_EXP_CACHE"):
        os.environ["UNET_EXP_CACHE"] = str(Path(cache).absolute())
