"""Resume a sweep: its recorded overrides, and whether it is the same sweep."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from unet_exp.configuration.overrides import MULTIRUN, CommandLine, Override, is_under, key_of
from unet_exp.configuration.replay import replayed
from unet_exp.records.sweep_folder import SweepFolder, SweepRecord
from unet_exp.secrets.masking import blanked
from unet_exp.sweeps.plan import SweepError


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


def require_same_sweep(
    record: SweepRecord, common: Sequence[str], sweeper: str, folder: Path
) -> None:
    """Refuse to resume the folder of another sweep.

    Raises
    ------
    SweepError
        With the overrides that differ.
    """
    before, now = ({blanked(word): word for word in words} for words in (record.words, common))
    gone = sorted(before[word] for word in before.keys() - now.keys())
    new = sorted(now[word] for word in now.keys() - before.keys())
    if record.sweeper != sweeper:
        gone, new = [f"hydra/sweeper={record.sweeper}"], [f"hydra/sweeper={sweeper}"]
    if gone or new:
        differ = " and ".join(
            f"{what} {shlex.join(words)}"
            for what, words in (("with", gone), ("without", new))
            if words
        )
        raise SweepError(
            f"{folder} holds another sweep, whose jobs were started {differ}. Repeat its words, or "
            f"give sweep.resume={folder} alone; new values of "
            f"{', '.join(record.parameters) or 'a parameter'} may be added."
        )


def typed(words: Sequence[str]) -> list[str]:
    """Return the overrides to record: all but those that name the folder.

    >>> typed(["model.depth=3,4", "hydra.sweep.dir=a", "hydra/launcher=ray", "sweep.resume=a"])
    ['model.depth=3,4', 'hydra/launcher=ray']
    """
    own = ("hydra.sweep", "hydra.run", "hydra.mode", "sweep.resume")
    return [word for word in words if not is_under(key_of(word), own)]
