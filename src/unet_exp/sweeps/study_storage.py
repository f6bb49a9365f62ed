"""Where a study is stored: a file in the sweep's folder, or a database that sweeps share."""

import functools
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.storages import BaseStorage, JournalStorage, get_storage
from optuna.storages.journal import JournalFileBackend
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    IntegrityError,
    OperationalError,
    PendingRollbackError,
    ProgrammingError,
)

from unet_exp.configuration.override_errors import first_line
from unet_exp.sweeps.plan import SweepError

log = logging.getLogger(__name__)

#: Seconds for which a sweep waits for a database, such as a server that is restarted.
PATIENCE = 300.0
#: Seconds between two attempts.
PAUSE = 1.0
#: How often the tables are created while other sweeps create them too.
ATTEMPTS = 5


def opened_storage(address: str | None, file: Path) -> BaseStorage:
    """Open the database at an address, or a file in the sweep's folder.

    Raises SweepError if the database does not answer, or refuses the user.
    """
    if address:
        return patient(opened_database(address))
    # This process has locked the folder, so the lock file is left from a sweep that was killed.
    file.with_name(f"{file.name}.lock").unlink(missing_ok=True)
    return JournalStorage(JournalFileBackend(str(file)))


def opened_database(address: str) -> BaseStorage:
    """Open a database, and create Optuna's tables in an empty one."""
    for _ in range(ATTEMPTS):
        try:
            return get_storage(address)
        except ImportError as error:
            raise SweepError(
                f"The database of hydra.sweeper.storage needs a driver ({error.__cause__}). For "
                'PostgreSQL: pip install -e ".[postgresql]"'
            ) from error
        except (ArgumentError, OperationalError) as error:
            raise SweepError(
                f"The database of hydra.sweeper.storage cannot be opened: {reason(error)}. Check "
                "its address, its user and its password."
            ) from error
        except (IntegrityError, ProgrammingError):
            # Another sweep has created the same table at the same time.
            time.sleep(PAUSE)
    return get_storage(address)


def patient(storage: BaseStorage) -> BaseStorage:
    """Let each call of a storage wait while its database does not answer.

    A call that is repeated writes the same values. Only a new trial is stored twice if the database
    has stored it and then its answer is lost. A trial that was asked for then stays without a job.
    """
    for name in BaseStorage.__abstractmethods__:
        setattr(storage, name, repeated(getattr(storage, name)))
    return storage


def repeated(call: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that repeats a call of a database until it answers.

    Raises SweepError after ``PATIENCE`` seconds without an answer.
    """

    @functools.wraps(call)
    def repeat(*args: Any, **kwargs: Any) -> Any:
        first = time.monotonic()
        told = False
        while True:
            try:
                return call(*args, **kwargs)
            except UpdateFinishedTrialError:
                if not told or call.__name__ != "set_trial_state_values":
                    raise
                return True  # the database had stored the call whose answer was lost
            except StorageInternalError as error:
                cause = error.__cause__ or error
                if not no_answer(cause):
                    raise
                if time.monotonic() - first > PATIENCE:
                    raise SweepError(
                        f"The database of the study has not answered for {PATIENCE:g} s "
                        f"({reason(cause)}). Resume this sweep when it does; the jobs are kept."
                    ) from error
            if not told:
                log.warning(
                    "The database of the study does not answer (%s). Trying again for %g s.",
                    reason(cause),
                    PATIENCE,
                )
                told = True
            time.sleep(PAUSE)

    return repeat


def no_answer(error: BaseException) -> bool:
    """Tell whether an error says that a database is locked, or cannot be reached."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    # Optuna asks again within a transaction that was lost, and then hears of that alone.
    return isinstance(error, OperationalError | PendingRollbackError)


def reason(error: BaseException) -> str:
    """Return the words of the database, without the statement that it refused."""
    said = error.orig if isinstance(error, DBAPIError) else None
    return first_line(said or error).rstrip(".")
