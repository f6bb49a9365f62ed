"""Where a command reads and writes: a new folder for each, and paths that stay what they were."""

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

#: Folders that this process has made for its results; removed at its end where they are empty.
made: list[Path] = []


class Places(Callback):
    """Settle the folder of a run, or of a sweep, before Hydra makes it.

    One whose name holds the time is to be a new one, also where several start within a second.
    """

    def on_run_start(self, config: DictConfig, **_: Any) -> None:
        """Settle ``hydra.run.dir``."""
        with suppress(OmegaConfBaseException):  # Hydra will say what is wrong with it
            settle_folder(config, "run")

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        """Settle ``hydra.sweep.dir``."""
        with suppress(OmegaConfBaseException):
            settle_folder(config, "sweep")


def settle_folder(config: DictConfig, kind: str) -> None:
    """Write into ``hydra.<kind>.dir`` the folder that will be written to."""
    node = config.hydra[kind]
    raw: Any = OmegaConf.to_container(node, resolve=False)
    pattern, given = str(raw["dir"]), str(node.dir)
    folder = Path(at_home(given))
    if config.hydra.job.chdir:
        folder = folder.absolute()
    if "${now:" in pattern:
        folder = new_folder(folder)
    if folder == Path(given):
        return
    # The jobs of a sweep are composed anew, from these.
    words = config.hydra.overrides.hydra
    with read_write(node), read_write(words):
        node.dir = str(folder)
        words.append(f"hydra.{kind}.dir={in_quotes(str(folder))}")


def new_folder(path: Path) -> Path:
    """Make a folder that was not there, with a number behind its name where it was.

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
            return path  # whoever writes there will say why that cannot be
        else:
            made.extend([folder, *above])
            return folder


def tidy() -> None:
    """Remove the folders that were made for results, and hold none."""
    for folder in sorted(made, key=lambda path: len(path.parts), reverse=True):
        with suppress(OSError):  # it holds something, or is gone
            # Hydra's own sweeper writes what it was asked for, whatever comes of it.
            if {path.name for path in folder.rglob("*") if not path.is_dir()} == {"multirun.yaml"}:
                shutil.rmtree(folder)
            else:
                folder.rmdir()
    made.clear()


def settle_paths(cfg: DictConfig) -> None:
    """Write the home folder for ``~`` in all of a configuration's values but names and tags.

    Where Hydra has changed the working directory (``hydra.job.chdir=true``), relative paths are
    also made what they were where the command was started.
    """
    start = None
    if HydraConfig.initialized() and HydraConfig.get().job.chdir:
        start = Path(HydraConfig.get().runtime.cwd)
    for key, value in leaves(OmegaConf.to_container(cfg, resolve=False)):
        option = key.partition("[")[0]
        if not isinstance(value, str) or option in (TEXT, TEXTS):
            continue
        is_path = names_path(option)
        if "${" in value:
            # A reference elsewhere refers to something that is settled, or to no path.
            value = OmegaConf.select(cfg, key) if is_path else None
        if not isinstance(value, str):
            continue
        settled = at_home(value)
        if start and is_path and settled:
            settled = os.path.join(start, settled)  # noqa: PTH118 - it keeps a slash at the end
        if settled != value:
            OmegaConf.update(cfg, key, settled)


def settle_environment() -> None:
    """Do the same for the folders that environment variables name, before anything moves."""
    for name in ("UNET_EXP_DATA", "UNET_EXP_CACHE"):
        if value := os.environ.get(name):
            os.environ[name] = at_home(value)
    if cache := os.environ.get("UNET_EXP_CACHE"):
        os.environ["UNET_EXP_CACHE"] = str(Path(cache).absolute())
