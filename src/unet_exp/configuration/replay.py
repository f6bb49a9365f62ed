"""What the folder of a run or a sweep may say to a command: plain values of options.

Such a folder may come from a stranger, and a sweep that goes on repeats the overrides that are
recorded in it. So of these only plain values are taken: those that choose an option of ``conf/``,
and numbers and texts that an option has as its values. What would build something else, run code,
or name a path, an address or an account is for the user to give again.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import ChoiceSweep, IntervalSweep, QuotedString, RangeSweep
from hydra.errors import HydraException

from unet_exp.configuration.groups import CONF, content, is_group
from unet_exp.configuration.overrides import Override, is_under, key_of
from unet_exp.files import require_no_links_out
from unet_exp.secrets.masking import is_masked

#: Values that name a path, an address, an account or code, and all below them.
FOR_THE_USER = (
    "data_dir", "ckpt_path", "dataset.data_dir", "dataset.root", "dataset.url",
    "dataset.archive_limit", "dataset.memory_limit", "trainer.options", "logger.entity",
    "logger.log_checkpoints", "hydra.launcher.account", "hydra.launcher.additional_parameters",
    "hydra.launcher.folder", "hydra.launcher.init", "hydra.launcher.setup", "hydra.sweeper.params",
    "hydra.sweeper.storage",
)  # fmt: skip
#: Of Hydra's own part, what a sweep may be started with again.
OF_HYDRA = ("hydra/launcher", "hydra/sweeper", "hydra.launcher.", "hydra.sweeper.")
#: What a training or a sweep writes in its folder, besides the numbered folders of jobs.
WRITTEN = {
    ".hydra", ".lock", "checkpoints", "config.yaml", "csv", "metrics.csv", "multirun.yaml",
    "optuna.log", "pictures", "progress.json", "stop", "submitit", "summary.json", "sweep.csv",
    "sweep.html", "sweep.json", "tensorboard", "train.log", "wandb",
}  # fmt: skip
#: The name of an option, or of one in a folder of its group.
OPTION = re.compile(r"\w[\w+-]*([./]\w[\w+-]*)*")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class RecordError(ValueError):
    """A folder that says more than plain values."""


def replayed(recorded: Sequence[str], given: Sequence[str], folder: object) -> list[str]:
    """Return the recorded overrides; one that the user gave takes the place of the same key.

    >>> replayed(["dataset=hela", "seed=0,1"], ["seed=2", "debug=true"], "sweep")
    ['dataset=hela', 'seed=2', 'debug=true']

    Raises
    ------
    RecordError
        Naming those that the user has to give again, if they are the user's own.
    """
    said: dict[str, list[str]] = {}
    for text in given:
        said.setdefault(key_of(text), []).append(text)
    # Another launcher, or another sweeper, has other values.
    other = {key for key, own in said.items() if "/" in key and own[-1] not in recorded}
    kept, refused, left = [], [], dict(said)
    for text in recorded:
        key = key_of(text)
        if key in said:
            kept += left.pop(key, [])
        elif not key.startswith(tuple(f"{one.replace('/', '.')}." for one in other)):
            kept.append(text)
            refused += [text] if fault(text) else []
    if refused:
        raise RecordError(
            f"{folder} is recorded to have been started with {' '.join(refused)}, which "
            f"{fault(refused[0])}. A folder may come from anybody, so this is not repeated. If it "
            "is right, add it to the command again; another value of the same key takes its place."
        )
    return [*kept, *(text for texts in left.values() for text in texts)]


def require_no_links(folder: Path) -> None:
    """Refuse a folder of a run or a sweep in which a file to be written is a link out of it.

    Raises
    ------
    ValueError
        Naming the link.
    """
    if folder.is_dir():
        for path in folder.iterdir():
            if path.name in WRITTEN or path.name.isdecimal():
                require_no_links_out(path, folder)


def require_plain(recorded: Sequence[str], given: Collection[str], folder: object) -> None:
    """Refuse recorded overrides of a job that are neither plain nor among those of the user.

    Raises
    ------
    RecordError
        Naming the first of them.
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
    key = override.key
    if CONTROL.search(text):
        return "is no override"
    if override.parsed.package is not None:
        return "puts an option in another place"
    root = re.split(r"[./]", key)[0]
    if root not in roots() and not key.startswith(OF_HYDRA):
        return "is no value of an option"
    return next(filter(None, (fault_of(*leaf) for leaf in leaves(key, override.value))), None)


def fault_of(key: str, value: Any) -> str | None:
    """Return why a single value is not repeated, if so."""
    if any(part.startswith("_") for part in re.split(r"[./]", key)):
        return "builds something"
    if is_under(key, FOR_THE_USER):
        return "names a path, an address or code"
    if isinstance(value, str):
        if "${" in value:
            return "is looked up"
        if is_group(key) and not OPTION.fullmatch(value):
            return "is no option of its group"
    elif not isinstance(value, bool | int | float | None):
        return "is no plain value"
    return None


def leaves(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield each single value of an override, with its dotted key.

    >>> list(leaves("a", {"b": [1, "c"]}))
    [('a.b', 1), ('a.b', 'c')]
    """
    if value in ({}, []):
        yield key, None
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(f"{key}.{text_of(name)}", inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(key, inner)
    elif isinstance(value, ChoiceSweep):
        yield from leaves(key, value.list)
    elif isinstance(value, RangeSweep | IntervalSweep):
        yield key, None
    else:
        yield key, text_of(value)


def text_of(value: Any) -> Any:
    """Return the text of a quoted string, and any other value as it is."""
    return value.text if isinstance(value, QuotedString) else value


@cache
def roots() -> frozenset[str]:
    """Return the first parts of all keys of a training's configuration, but for Hydra's."""
    groups = (path.name for path in CONF.iterdir() if path.is_dir())
    return frozenset({*content("train"), *groups} - {"defaults", "hydra"})
