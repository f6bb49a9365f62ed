"""Turn an exception into one clear message: the fact, the value, the remedy."""

import errno
import re
from collections.abc import Iterator
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.errors import ConfigCompositionException, InstantiationException
from omegaconf import OmegaConf

from unet_exp.configuration.hints import COMMANDS
from unet_exp.configuration.override_errors import explain_override
from unet_exp.shown import shown

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
LOCKED = (errno.EACCES, errno.EROFS, errno.EPERM)
NO_FOLDER = (errno.ENOTDIR, errno.EEXIST)


#: Exit code of a training that was asked to stop and has been saved: EX_TEMPFAIL, try again.
PREEMPTED = 75


class JobError(Exception):
    """The error that ended a training in another process."""


class KilledError(JobError):
    """A training in another process that was killed before it could report an error."""


class Preempted(SystemExit):
    """A training was asked to stop, and has been saved."""

    def __init__(self) -> None:
        super().__init__(PREEMPTED)


def explain(error: BaseException, command: str | None = None) -> str:
    """Describe an error in one line that is safe to show on a terminal.

    >>> explain(OSError(28, "No space left on device", "outputs/best.ckpt"))
    'The disk is full: outputs/best.ckpt could not be written. Free some space, or ...'
    """
    return shown(" ".join(message(error, command or command_name()).split()))


def message(error: BaseException, command: str | None) -> str:
    """Describe an error; the text may still contain secrets and control characters."""
    chain = list(causes(error))
    for cause in chain:
        if is_full(cause):
            return (
                f"The disk is full: {failed_file(cause)} could not be written. Free some space, "
                "or write to another disk (hydra.run.dir, output); what was finished before is "
                "whole."
            )
    if (text := explain_override(chain, command)) is not None:
        return text
    # Hydra wraps the error of the constructor. That error is the clearest one.
    wrappers = (InstantiationException, ConfigCompositionException)
    best = next((e for e in chain if not isinstance(e, wrappers)), chain[-1])
    text = " ".join(str(best).split()) or type(best).__name__
    if isinstance(best, OSError) and best.errno in LOCKED:
        return (
            f"{failed_file(best)} cannot be read or written ({best.strerror}). Give another "
            "folder, or change its permissions."
        )
    if isinstance(best, OSError) and best.errno in NO_FOLDER:
        return (
            f"{failed_file(best)} cannot be made, because a file is in its place. Give another "
            "folder, or move that file away."
        )
    # torch's error is recognised by its name, so that torch need not be imported.
    if isinstance(best, MemoryError) or type(best).__name__ == "OutOfMemoryError":
        return f"Out of memory ({text[:120]}). {less_memory()}"
    if isinstance(best, KeyError | AttributeError | TypeError | AssertionError | IndexError):
        # A user's input seldom causes these. They are probably bugs.
        return (
            f"{type(best).__name__}: {text}. This was not foreseen; debug=true shows the stack "
            "trace, for a report at the project's issues."
        )
    part = next(filter(None, map(built_part, chain)), None)
    # "depth=9 is out of range": the configuration knows that depth is the model's.
    return f"{part}.{text}" if part and re.match(r"\w+=", text) else text


def less_memory() -> str:
    """Suggest settings that need less memory; only training has batches."""
    trains = command_name() in ("train", None)
    batches = "Lower loader.batch_size, loader.tile or model.base_channels; for "
    return f"{batches if trains else 'For '}whole images give inference.tile=512."


def command_name() -> str | None:
    """Return the command that runs; None if Hydra has not composed its configuration yet."""
    name = HydraConfig.get().job.name if HydraConfig.initialized() else None
    return name if name in COMMANDS else None


def built_part(error: BaseException) -> str | None:
    """Return the part of the configuration that was being built.

    >>> built_part(InstantiationException("Error in call ... full_key: model"))
    'model'
    """
    if isinstance(error, InstantiationException) and "full_key: " in str(error):
        return str(error).rsplit("full_key: ", 1)[1].strip()
    return None


def is_full(error: BaseException) -> bool:
    """Tell whether a file could not be written because the disk is full."""
    return isinstance(error, OSError) and error.errno in FULL


def failed_file(error: BaseException) -> str:
    """Return the file on which an operation failed, or the folder of the run."""
    # An error of a copy has two names: source and target.
    names = (getattr(error, key, None) for key in ("filename2", "filename"))
    name = next(filter(None, names), None)
    if name is None and (folder := run_folder()):
        name = f"a file in {folder}"
    return str(name or "a file")


def run_folder() -> Path | None:
    """Return the folder that the job writes to; None if Hydra has not chosen it yet."""
    if not HydraConfig.initialized():
        return None
    runtime = HydraConfig.get().runtime
    return None if OmegaConf.is_missing(runtime, "output_dir") else Path(runtime.output_dir)


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception and its causes; the root cause comes last."""
    while error is not None:
        yield error
        error = error.__cause__
