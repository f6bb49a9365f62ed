"""Resume a sweep: repeat its overrides, complete its secrets, and check that it is the same."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from unet_exp.configuration.overrides import MULTIRUN, CommandLine, Override, key_of
from unet_exp.configuration.replay import replayed
from unet_exp.configuration.tree import is_under
from unet_exp.records.sweep_folder import Job, SweepFolder, SweepRecord
from unet_exp.secrets.masking import is_masked, without_secrets
from unet_exp.sweeps.plan import SweepError


def with_resumed(line: CommandLine) -> CommandLine:
    """Complete the command line of a sweep that is resumed, ``sweep.resume=FOLDER``.

    Recorded overrides are repeated if they are plain values (see
    :mod:`unet_exp.configuration.replay`). An override in the command replaces the recorded one.

    Raises SweepError if the folder holds no sweep, and RecordError if the user must give recorded
    overrides again.
    """
    given = line.value("sweep.resume")
    if given in (None, ""):
        return line
    folder = Path(str(given))
    sweep = SweepFolder(folder)
    record = sweep.read_record()
    if record is None:
        raise SweepError(
            f"sweep.resume={folder} holds no sweep ({sweep.record.name} is missing). Give the "
            "folder of one, outputs/sweeps/NAME/STAMP, or drop sweep.resume to begin a new one."
        )
    flags = [flag for flag in line.flags if flag not in MULTIRUN]
    kept = [one.text for one in line.overrides if one.key != "sweep.resume"]
    texts = replayed(record.arguments, kept, folder)
    return CommandLine.recorded([MULTIRUN[0], *flags, *texts]).adding(
        Override.of("sweep.resume", str(folder)), Override.of("hydra.sweep.dir", str(folder))
    )


def without_folder(overrides: Sequence[str]) -> list[str]:
    """Return the overrides to record for a resumed sweep: all except those with its folder.

    >>> without_folder(["model.depth=3,4", "hydra.sweep.dir=a", "hydra/launcher=ray"])
    ['model.depth=3,4', 'hydra/launcher=ray']
    """
    of_folder = ("hydra.sweep", "hydra.run", "hydra.mode", "sweep.resume")
    return [text for text in overrides if not is_under(key_of(text), of_folder)]


def require_same_sweep(
    record: SweepRecord, common: Sequence[str], sweeper: str, folder: Path
) -> None:
    """Refuse to resume the folder of another sweep.

    Raises SweepError with the overrides that differ.
    """
    before, now = (
        {without_secrets(text): text for text in texts} for texts in (record.words, common)
    )
    gone = sorted(before[key] for key in before.keys() - now.keys())
    new = sorted(now[key] for key in now.keys() - before.keys())
    if record.sweeper != sweeper:
        gone, new = [f"hydra/sweeper={record.sweeper}"], [f"hydra/sweeper={sweeper}"]
    if gone or new:
        parts = (("with", gone), ("without", new))
        differ = " and ".join(f"{what} {shlex.join(texts)}" for what, texts in parts if texts)
        raise SweepError(
            f"{folder} holds another sweep, whose jobs were started {differ}. Repeat "
            f"its overrides, or give sweep.resume={folder} alone; new values of "
            f"{', '.join(record.parameters) or 'a parameter'} may be added."
        )


def jobs_with_secrets(known: Sequence[Job], combinations: Sequence[Sequence[str]]) -> list[Job]:
    """Return recorded jobs, with masked secrets replaced by those of the command."""
    left: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
    for given in map(tuple, combinations):
        left.setdefault(public(given), []).append(given)
    jobs = []
    for job in known:
        if same := left.get(public(job.overrides)):
            found = job.overrides if job.overrides in same else same[0]
            same.remove(found)
            job = Job(job.folder, found)
        jobs.append(job)
    return jobs


def public(overrides: Sequence[str]) -> tuple[str, ...]:
    """Return overrides without secrets, in an order that does not depend on theirs."""
    return tuple(sorted(map(without_secrets, overrides)))


def require_secrets(overrides: Sequence[str]) -> None:
    """Refuse overrides whose secrets are masked.

    Raises SweepError with their keys.
    """
    if masked := [text for text in overrides if is_masked(text)]:
        keys = " ".join(f"{key_of(text)}=..." for text in masked)
        raise SweepError(
            f"{', '.join(masked)} lacks its secret, which no record keeps. Give {keys} again with "
            "it, or let it be looked up: ${oc.env:NAME}."
        )
