"""From the command line to a task, and from an error to one clear message."""

import errno
import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import hydra
from hydra.errors import InstantiationException
from omegaconf import DictConfig

from unet_exp import schema

trace = logging.getLogger("unet_exp.trace")


def launch(task: Callable[[DictConfig], Any], config_name: str) -> NoReturn:
    """Compose the configuration, run the task, and exit: 0 done, 1 failed, 130 interrupted."""
    schema.register()
    # Hydra then hands every error on instead of printing stack traces itself.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    failures: list[Exception] = []

    def guarded(cfg: DictConfig) -> Any:
        # A failed job must not end the others of a sweep.
        try:
            return task(cfg)
        except Exception as error:
            trace.error("".join(traceback.format_exception(error)))
            report(error, debug=bool(cfg.get("debug")))
            failures.append(error)
            return None

    try:
        hydra.main(version_base="1.3", config_path=str(schema.CONF), config_name=config_name)(
            guarded
        )()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        report(error, debug=any(word.endswith("debug=true") for word in sys.argv))
        sys.exit(1)
    sys.exit(1 if failures else 0)


def report(error: Exception, debug: bool) -> None:
    """Print one clear message; with ``debug`` the stack trace before it."""
    if debug:
        traceback.print_exception(error)
    print(f"Error: {explain(error)}", file=sys.stderr, flush=True)


def explain(error: BaseException) -> str:
    """Return what went wrong in the words of whoever noticed it first.

    >>> explain(OSError(28, "No space left on device", "outputs/best.ckpt"))
    'The disk is full: outputs/best.ckpt could not be written. Free some space, or ...'
    """
    chain = list(causes(error))
    for cause in chain:
        if isinstance(cause, OSError) and cause.errno == errno.ENOSPC:
            return (
                f"The disk is full: {cause.filename or 'a file'} could not be written. Free some "
                "space, or give another hydra.run.dir; what was finished before is whole."
            )
        if isinstance(cause, PermissionError | OSError) and cause.errno in (
            errno.EACCES,
            errno.EROFS,
            errno.EPERM,
            errno.ENOTDIR,
        ):
            return (
                f"{cause.filename or 'A file'} cannot be written or read ({cause.strerror}). Give "
                "another folder, or change its permissions."
            )
    first = chain[-1]
    text = str(first) or type(first).__name__
    if isinstance(first, KeyError | AttributeError | TypeError | AssertionError):
        # These seldom come from a user's input: say that it may be our fault.
        text = f"{type(first).__name__}: {text} (debug=true shows the stack trace)"
    for cause in chain:
        if isinstance(cause, InstantiationException) and "full_key: " in str(cause):
            return f"{text} [{str(cause).rsplit('full_key: ', 1)[1].strip()}]"
    if len(chain) > 1 and type(chain[-2]).__module__.startswith("hydra."):
        return f"{str(chain[-2]).strip()} {text}"
    return text


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception and those that it was raised from, the first noticed last."""
    while error is not None:
        yield error
        error = error.__cause__
