"""The record of a sweep: ``sweep.json``, whole at any moment."""

import json
import os
import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from unet_exp.configuration.overrides import MULTIRUN, CommandLine, Override, is_under, key_of
from unet_exp.configuration.replay import replayed
from unet_exp.files import read_json, replacing
from unet_exp.records.sweep import job_name
from unet_exp.secrets.masking import blanked, masked
from unet_exp.sweeps.plan import Job, SweepError

NAME = "sweep.json"


@dataclass
class Ledger:
    """What a sweep was asked for, and its jobs."""

    command: str
    """What was typed."""
    arguments: list[str]
    """Its words, with those of Hydra, without the sweep's folder."""
    words: list[str]
    """Those of every job."""
    parameters: list[str]
    """Keys of the values that differ between jobs."""
    monitor: str
    """The score, such as ``val/seg``."""
    mode: str
    """Whether more (``max``) or less (``min``) of it is better."""
    sweeper: str
    started: str
    state: str = "running"
    jobs: list[Job] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    """Parameters that were searched on a logarithmic scale."""
    slurm_job_id: str | None = field(default_factory=lambda: os.environ.get("SLURM_JOB_ID"))
    """The job of SLURM's that the sweep itself runs in, if any."""

    def write(self, folder: Path) -> None:
        """Write the ledger, without secrets, into the folder of its sweep."""
        with replacing(folder / NAME) as part:
            part.write_text(json.dumps(masked(asdict(self)), indent=2) + "\n")


def read_ledger(folder: Path) -> Ledger | None:
    """Return the ledger of a sweep folder; ``None`` if the folder holds no sweep.

    Raises
    ------
    SweepError
        If there is one that cannot be read.
    """
    if not (folder / NAME).exists():
        return None
    content = read_json(folder / NAME)
    try:
        jobs = [
            Job(job_name(job["folder"]), texts(job["overrides"])) for job in content.pop("jobs")
        ]
        for name in ("arguments", "words", "parameters", "log"):
            content[name] = list(texts(content.get(name, [])))
        return Ledger(**content, jobs=jobs)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SweepError(
            f"{folder / NAME} cannot be read ({error}). Its jobs are whole; give the sweep another "
            "folder, hydra.sweep.dir=..., to run them anew."
        ) from error


def texts(values: Any) -> tuple[str, ...]:
    """Return a list of texts that was read from a file.

    Raises
    ------
    TypeError
        If it is something else.
    """
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise TypeError(f"{str(values)[:80]} is no list of texts")
    return tuple(values)


def with_resumed(line: CommandLine) -> CommandLine:
    """Complete the command line of a sweep that is resumed, ``sweep.resume=FOLDER``.

    It repeats the recorded overrides as far as they are plain values (see
    :mod:`unet_exp.configuration.replay`). An override given now replaces the recorded one.

    Raises
    ------
    SweepError
        If the folder holds no sweep.
    RecordError
        If the user has to give recorded overrides again.
    """
    given = line.value("sweep.resume")
    if given in (None, ""):
        return line
    folder = Path(str(given))
    ledger = read_ledger(folder)
    if ledger is None:
        raise SweepError(
            f"sweep.resume={folder} holds no sweep ({NAME} is missing). Give the folder of one, "
            "outputs/sweeps/NAME/STAMP, or drop sweep.resume to begin a new one."
        )
    flags = [flag for flag in line.flags if flag not in MULTIRUN]
    kept = [one.text for one in line.overrides if one.key != "sweep.resume"]
    texts = replayed(ledger.arguments, kept, folder)
    return CommandLine.recorded([MULTIRUN[0], *flags, *texts]).adding(
        Override.of("sweep.resume", str(folder)), Override.of("hydra.sweep.dir", str(folder))
    )


def require_same_sweep(ledger: Ledger, common: Sequence[str], sweeper: str, folder: Path) -> None:
    """Refuse to go on with the folder of another sweep.

    Raises
    ------
    SweepError
        Naming the words that differ.
    """
    before, now = ({blanked(word): word for word in words} for words in (ledger.words, common))
    gone = sorted(before[word] for word in before.keys() - now.keys())
    new = sorted(now[word] for word in now.keys() - before.keys())
    if ledger.sweeper != sweeper:
        gone, new = [f"hydra/sweeper={ledger.sweeper}"], [f"hydra/sweeper={sweeper}"]
    if gone or new:
        differ = " and ".join(
            f"{what} {shlex.join(words)}"
            for what, words in (("with", gone), ("without", new))
            if words
        )
        raise SweepError(
            f"{folder} holds another sweep, whose jobs were started {differ}. Repeat its words, or "
            f"give sweep.resume={folder} alone; new values of "
            f"{', '.join(ledger.parameters) or 'a parameter'} may be added."
        )


def typed(words: Sequence[str]) -> list[str]:
    """Return the words to go on with later: all but those that name the folder.

    >>> typed(["model.depth=3,4", "hydra.sweep.dir=a", "hydra/launcher=ray", "sweep.resume=a"])
    ['model.depth=3,4', 'hydra/launcher=ray']
    """
    own = ("hydra.sweep", "hydra.run", "hydra.mode", "sweep.resume")
    return [word for word in words if not is_under(key_of(word), own)]
