"""Databases that do not answer for a while; a lock of SQLite's stands for a server that is away."""

import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
import pytest
import sqlalchemy.exc
import sqlalchemy.orm
from optuna.exceptions import StorageInternalError

from unet_exp.sweeps import study_storage
from unet_exp.sweeps.plan import SweepError
from unet_exp.sweeps.study_storage import opened_storage, repeated


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(study_storage, "PAUSE", 0.02)
    return f"sqlite:///{tmp_path / 'study.db'}?timeout=0.01"


@contextmanager
def away(address: str, seconds: float) -> Iterator[None]:
    """Lock the database for some seconds."""
    file = address.removeprefix("sqlite:///").partition("?")[0]
    with sqlite3.connect(file, isolation_level=None, check_same_thread=False) as other:
        other.execute("BEGIN EXCLUSIVE")
        timer = threading.Timer(seconds, other.rollback)
        timer.start()
        yield
        timer.join()
    other.close()


def test_a_search_waits_for_its_database_and_stores_nothing_twice(
    address: str, caplog: pytest.LogCaptureFixture
) -> None:
    study = optuna.create_study(storage=opened_storage(address, Path()), study_name="a")
    with caplog.at_level(logging.WARNING):
        with away(address, 0.3):
            trial = study.ask({"x": optuna.distributions.FloatDistribution(0, 1)})
        with away(address, 0.3):
            trial.report(2.0, 7)
        with away(address, 0.3):
            study.tell(trial, 3.0)
    (found,) = optuna.load_study(storage=opened_storage(address, Path()), study_name="a").trials
    assert (found.values, found.intermediate_values) == ([3.0], {7: 2.0})
    assert found.params == trial.params
    told = [record.message for record in caplog.records if "does not answer" in record.message]
    assert "The database of the study does not answer (database is locked)." in told[0]


def test_a_result_is_stored_although_the_answer_is_lost(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a server that dies after it has stored the result."""
    study = optuna.create_study(storage=opened_storage(address, Path()), study_name="a")
    trial = study.ask()
    lost: list[str] = []
    commit = sqlalchemy.orm.Session.commit

    def commit_and_die(session: sqlalchemy.orm.Session) -> None:
        commit(session)
        with sqlite3.connect(address.removeprefix("sqlite:///").partition("?")[0]) as other:
            stored = other.execute("SELECT state FROM trials").fetchone() == ("COMPLETE",)
        other.close()
        if stored and not lost:
            lost.append("answer")
            raise sqlalchemy.exc.OperationalError("COMMIT", {}, ValueError("server closed"))

    monkeypatch.setattr(sqlalchemy.orm.Session, "commit", commit_and_die)
    study.tell(trial, 3.0)
    assert lost
    assert [(one.state.name, one.values) for one in study.trials] == [("COMPLETE", [3.0])]


def test_a_search_does_not_wait_for_ever(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study_storage, "PATIENCE", 0.1)
    study = optuna.create_study(storage=opened_storage(address, Path()), study_name="a")
    trial = study.ask()
    with away(address, 1.0), pytest.raises(SweepError, match=r"database is locked\). Resume this"):
        study.tell(trial, 3.0)


@pytest.mark.parametrize(
    ("cause", "repeats"),
    [
        (sqlalchemy.exc.OperationalError("SELECT", {}, ValueError("server closed")), True),
        (sqlalchemy.exc.DBAPIError("SELECT", {}, ValueError("gone"), None, True), True),
        (sqlalchemy.exc.PendingRollbackError("Can't reconnect"), True),
        (sqlalchemy.exc.DataError("INSERT", {}, ValueError("too long")), False),
    ],
)
def test_calls_are_repeated_while_a_connection_is_lost(
    monkeypatch: pytest.MonkeyPatch, cause: Exception, *, repeats: bool
) -> None:
    monkeypatch.setattr(study_storage, "PAUSE", 0.0)
    calls = []

    def call() -> str:
        calls.append(1)
        if len(calls) == 1:
            raise StorageInternalError from cause
        return "answer"

    if repeats:
        assert repeated(call)() == "answer"
    else:
        with pytest.raises(StorageInternalError):
            repeated(call)()
    assert len(calls) == 1 + repeats


def test_what_no_waiting_mends_is_raised_at_once(address: str) -> None:
    storage = opened_storage(address, Path())
    with pytest.raises(KeyError):
        storage.get_study_id_from_name("nothing")


@pytest.mark.parametrize(
    ("address", "fact"),
    [
        ("sqlite:////nowhere/study.db", "cannot be opened: unable to open database file"),
        ("study.db", "cannot be opened: Could not parse SQLAlchemy URL"),
        ("oracle+cx_oracle://me:pw@host/study", "needs a driver .No module named 'cx_Oracle'."),
    ],
)
def test_a_database_that_cannot_be_opened_is_named(address: str, fact: str) -> None:
    with pytest.raises(SweepError, match=fact):
        opened_storage(address, Path())


def test_sweeps_that_begin_together_may_create_the_tables_together(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL refuses all but one of them."""
    calls = []
    opened = study_storage.get_storage

    def refused_once(address: str) -> Any:
        calls.append(address)
        if len(calls) == 1:
            raise sqlalchemy.exc.IntegrityError("CREATE TABLE studies", {}, ValueError("twice"))
        return opened(address)

    monkeypatch.setattr(study_storage, "get_storage", refused_once)
    assert opened_storage(address, Path()).get_all_studies() == []
