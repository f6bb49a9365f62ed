import itertools
import logging
import time
from types import SimpleNamespace
from typing import Any

import pytest

from unet_exp.training.report_writer import ReportWriter


def trainer(first: bool = True, checking: bool = False) -> Any:
    return SimpleNamespace(is_global_zero=first, sanity_checking=checking)


def test_it_writes_after_each_validation_of_the_first_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 0.0)
    written: list[int] = []
    writer = ReportWriter(lambda: written.append(1))
    for one in (trainer(), trainer(first=False), trainer(checking=True), trainer()):
        writer.on_validation_end(one, None)  # pyright: ignore[reportArgumentType]
    assert len(written) == 2


def test_a_report_that_takes_long_is_left_out_after_some_validations(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = itertools.count()  # a second passes at each look
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    written: list[int] = []
    writer = ReportWriter(lambda: written.append(1))
    for _ in range(3):
        writer.on_validation_end(trainer(), None)  # pyright: ignore[reportArgumentType]
    assert len(written) == 1
    writer.close()
    assert len(written) == 2


def test_an_error_is_logged_once_and_the_training_continues(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail() -> None:
        raise OSError("disk full")

    writer = ReportWriter(fail)
    with caplog.at_level(logging.WARNING, "unet_exp.training.report_writer"):
        writer.on_validation_end(trainer(), None)  # pyright: ignore[reportArgumentType]
        writer.close()
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [
        "The report could not be written: OSError: disk full"
    ]
