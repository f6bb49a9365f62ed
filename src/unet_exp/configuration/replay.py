"""Decide which overrides that a folder of a run or a sweep records may be repeated.

A resumed sweep repeats the overrides that its folder records, and the folder may come from a
stranger. Only overrides that choose an option of ``conf/``, or give it numbers and texts, are
repeated. The user must give an override again if it would build something else, run code, or name a
path, an address or an account.
"""

import re
from collections.abc import Collection, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from hydra.errors import HydraException

from unet_exp.configuration.groups import CONF, content, is_group
from unet_exp.configuration.overrides import Override, key_of
from unet_exp.configuration.tree import is_under, walk
from unet_exp.files import require_no_links_out
from unet_exp.records.run_folder import RunFolder
from unet_exp.records.sweep_folder import SweepFolder
from unet_exp.secrets.masking import is_masked

#: Values that name a path, an address, an account or code.
FOR_THE_USER = (
    "data_dir", "ckpt_path", "init_from.path", "dataset.data_dir", "dataset.root", "dataset.url",
    "dataset.archive_limit", "dataset.memory_limit", "trainer.options", "logger.entity",
    "logger.log_checkpoints", "hydra.launcher.account", "hydra.launcher.additional_parameters",
    "hydra.launcher.folder", "hydra.launcher.init", "hydra.launcher.setup", "hydra.sweeper.params",
    "hydra.sweeper.storage",
)  # fmt: skip
#: Parts of Hydra's own configuration that a recorded override may set.
OF_HYDRA = ("hydra/launcher", "hydra/sweeper", "hydra.launcher", "hydra.sweeper")
#: Files that a training or a sweep writes into its folder, except the numbered folders of jobs.
WRITTEN = RunFolder(Path()).entries() | SweepFolder(Path()).entries()
#: The name of an option, also of one in a subfolder of its group.
OPTION = re.compile(r"\w[\w+-]*([./]\w[\w+-]*)*")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
INDEX = re.compile(r"\[\d+\]")


class RecordError(ValueError):
    """A folder records more than plain values."""


def replayed(recorded: Sequence[str], given: Sequence[str], folder: object) -> list[str]:
    """Return the recorded overrides; the user's overrides replace those of the same key.

    >>> replayed(["dataset=hela", "seed=0,1"], ["seed=2", "debug=true"], "sweep")
    ['dataset=hela', 'seed=2', 'debug=true']

    Raises RecordError with the overrides that the user must give again.
    """
    by_key: dict[str, list[str]] = {}
    for text in given:
        by_key.setdefault(key_of(text), []).append(text)
    # Values of a launcher or sweeper are dropped if the user chooses another one.
    replaced = [
        key.replace("/", ".") for key, own in by_key.items()
        if "/" in key and own[-1] not in recorded
    ]  # fmt: skip
    kept, refused, left = [], [], dict(by_key)
    for text in recorded:
        key = key_of(text)
        if key in by_key:
            kept += left.pop(key, [])
        elif not is_under(key.replace("/", "."), replaced):
            kept.append(text)
            refused += [text] if fault(text) else []
    if refused:
        raise RecordError(
            f"{folder} is recorded to have been started with {' '.join(refused)}, which "
            f"{fault(refused[0])}. A folder may come from anybody, so this is not repeated. If it "
            "is right, add it to the command again; another value of the same key replaces it."
        )
    return [*kept, *(text for texts in left.values() for text in texts)]


def require_no_links(folder: Path) -> None:
    """Refuse a folder of a run or a sweep if a file to be written is a link to another place.

    Raises ValueError, naming the link.
    """
    if folder.is_dir():
        for path in folder.iterdir():
            if path.name in WRITTEN or path.name.isdecimal():
                require_no_links_out(path, folder)


def require_plain(recorded: Sequence[str], given: Collection[str], folder: object) -> None:
    """Refuse recorded overrides of a job that are neither plain nor given by the user.

    Raises RecordError, naming the first of them.
    """
    for text in recorded:
        if text not in given and (reason := fault(text)):
            raise RecordError(
                f"{folder} records a job with {text}, which {reason}. A folder may come from "
                "anybody, so this is not repeated. Begin a new sweep, in another hydra.sweep.dir."
            )


def fault(text: str) -> str | None:
    """Return why a recorded override is not repeated; None if it is a plain value.

    >>> fault("model.depth=5"), fault("hydra/launcher=ray"), fault("metric=[iou,seg]")
    (None, None, None)
    >>> fault("+metric.x={_target_:os.system}")
    'builds something'
    >>> fault("dataset.root=/home/me"), fault("seed=${oc.env:HOME}")
    ('names a path, an address or code', 'is looked up')
    """
    if is_masked(text):
        return "lacks its secret, which no record keeps"
    try:
        override = Override.parse(text)
    except (HydraException, RecursionError):
        return "cannot be read"
    if CONTROL.search(text):
        return "is no override"
    if override.parsed.package is not None:
        return "puts an option in another place"
    root = re.split(r"[./]", override.key)[0]
    if root not in roots() and not is_under(override.key, OF_HYDRA):
        return "is no value of an option"
    values = (one for value in override.values for one in walk(value, override.key))
    return next(filter(None, (fault_of(INDEX.sub("", key), value) for key, value in values)), None)


def fault_of(key: str, value: Any) -> str | None:
    """Return why one value is not repeated; None if it is plain."""
    if any(part.startswith("_") for part in re.split(r"[./]", key)):
        return "builds something"
    if is_under(key, FOR_THE_USER):
        return "names a path, an address or code"
    if isinstance(value, str):
        if "${" in value:
            return "is looked up"
        if is_group(key) and not OPTION.fullmatch(value):
            return "is no option of its group"
    elif not isinstance(value, bool | int | float | list | dict | None):
        return "is no plain value"
    return None


@cache
def roots() -> frozenset[str]:
    """Return the first parts of all keys of a training's configuration, without Hydra's."""
    groups = (path.name for path in CONF.iterdir() if path.is_dir())
    return frozenset({*content("train"), *groups} - {"defaults", "hydra"})
