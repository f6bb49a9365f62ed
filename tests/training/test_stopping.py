import os
import signal
import threading
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from lightning.pytorch import Callback

from tests.running import TINY
from tests.training.fitting import At, fit, rows, run, same, start, weights

SMALL = (*TINY, "dataset.validation=2", "model.dropout=0.5")
STEPS = (*SMALL, "loader.steps_per_validation=4", "trainer.max_steps=11")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNET_EXP_CACHE", str(tmp_path / "cache"))


def assert_same(whole: Path, stopped: Path) -> None:
    assert same(weights(whole), weights(stopped))
    assert same(weights(whole, "best"), weights(stopped, "best"))
    assert rows(whole) == rows(stopped)


def kill(number: signal.Signals = signal.SIGTERM) -> None:
    os.kill(os.getpid(), number)


class Always(Callback):
    """Ask to stop at the end of each batch."""

    def on_train_batch_end(self, *_: Any, **__: Any) -> None:
        kill()


class DuringValidation(Callback):
    def on_validation_batch_end(self, *_: Any, **__: Any) -> None:
        kill(signal.SIGUSR2)


@pytest.mark.parametrize(
    "words",
    [
        ("scheduler=one_cycle", "trainer.max_steps=9"),
        # With 5 batches the last step of an interval has one batch.
        (
            "scheduler=plateau",
            "scheduler.patience=0",
            "ema_decay=0",
            "trainer.accumulate_grad_batches=2",
            "loader.steps_per_validation=5",
            "trainer.max_steps=8",
        ),
    ],
)
def test_a_run_that_is_stopped_again_and_again_comes_to_the_same_weights(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    steps = (*STEPS, *words)
    trainer, stopping = fit(tmp_path / "whole", steps)
    assert stopping.reason is None
    reasons, reached = [], [0]
    while reached[-1] < trainer.max_steps:
        again, stopping = fit(tmp_path / "stopped", steps, Always())
        reasons.append(stopping.reason)
        reached.append(again.global_step)
    # What comes after a step is heeded at the next; the end is no stop.
    assert max(b - a for a, b in pairwise(reached)) <= 2
    assert set(reasons[:-1]) == {"preempted"}
    assert reasons[-1] is None
    assert_same(tmp_path / "whole", tmp_path / "stopped")


def test_ctrl_c_saves_at_the_next_step_and_resumes_to_the_same_weights(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    fit(tmp_path / "whole", STEPS)
    trainer, stopping = fit(tmp_path / "stopped", STEPS, At(5, lambda: kill(signal.SIGINT)))
    assert (stopping.reason, trainer.global_step) == ("interrupted", 6)
    assert "Ctrl-C again ends at once" in capfd.readouterr().err
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    fit(tmp_path / "stopped", STEPS)
    assert_same(tmp_path / "whole", tmp_path / "stopped")


def test_a_second_ctrl_c_ends_at_once(tmp_path: Path) -> None:
    reached = []

    def twice() -> None:
        kill(signal.SIGINT)
        kill(signal.SIGINT)
        reached.append("never")

    with pytest.raises(SystemExit):  # Lightning's, of a KeyboardInterrupt
        fit(tmp_path, STEPS, At(2, twice))
    assert not reached
    assert not (tmp_path / "checkpoints" / "last.ckpt").exists()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_that_is_ignored_stays_ignored(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        _, stopping = fit(tmp_path, STEPS, At(2, lambda: kill(signal.SIGINT)))
        assert stopping.reason is None
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_validation_that_is_due_or_under_way_is_recorded_first(tmp_path: Path) -> None:
    fit(tmp_path / "whole", STEPS)
    for name, moment in (("due", At(3, kill)), ("under_way", DuringValidation())):
        folder = tmp_path / name
        trainer, stopping = fit(folder, STEPS, moment)
        assert (stopping.reason, trainer.global_step) == ("preempted", 4)
        assert rows(folder) == rows(tmp_path / "whole")[:1]
        fit(folder, STEPS)
        assert_same(tmp_path / "whole", folder)


def test_a_stop_between_validations_adds_no_validation(tmp_path: Path) -> None:
    trainer, stopping = fit(tmp_path, STEPS, At(5, lambda: kill(signal.SIGUSR1)))
    assert (stopping.reason, trainer.global_step) == ("preempted", 6)
    assert [row["step"] for row in rows(tmp_path)] == ["4"]
    assert not trainer.interrupted


def test_a_file_stops_with_its_text_for_a_reason(tmp_path: Path) -> None:
    (tmp_path / "stop").write_text("pruned\n")
    trainer, stopping = fit(tmp_path, STEPS)
    assert (stopping.reason, trainer.global_step) == ("pruned", 1)
    assert not (tmp_path / "stop").exists()


def test_handlers_are_put_back(tmp_path: Path) -> None:
    heard = []
    before = {number: signal.getsignal(number) for number in signal.valid_signals()}
    try:
        signal.signal(signal.SIGUSR1, lambda *_: heard.append("ours"))
        mine = {number: signal.getsignal(number) for number in signal.valid_signals()}
        fit(tmp_path, (*STEPS, "trainer.max_steps=1"))
        assert {number: signal.getsignal(number) for number in signal.valid_signals()} == mine
        kill(signal.SIGUSR1)
        assert heard == ["ours"]
    finally:
        signal.signal(signal.SIGUSR1, before[signal.SIGUSR1])


def test_outside_the_main_thread_the_file_still_stops(tmp_path: Path) -> None:
    (tmp_path / "stop").write_text("pruned")
    reasons = []
    thread = threading.Thread(target=lambda: reasons.append(fit(tmp_path, STEPS)[1].reason))
    thread.start()
    thread.join()
    assert reasons == ["pruned"]


def test_a_signal_to_all_its_processes_ends_a_training_in_order(tmp_path: Path) -> None:
    steps = (*SMALL, "loader.steps_per_validation=20", "trainer.max_steps=60")
    steps = (*steps, "loader.num_workers=1")
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    run(1, whole, steps)
    with start(1, stopped, steps) as process:
        deadline = time.monotonic() + 120
        while not (stopped / "metrics.csv").exists() and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGTERM)  # also to the process that loads tiles
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "reason=preempted" in said
    run(1, stopped, steps)
    assert_same(whole, stopped)


def test_several_processes_stop_at_one_step(tmp_path: Path) -> None:
    steps = (*STEPS, "trainer=ddp", "trainer.accelerator=cpu", "trainer.devices=2")
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    run(2, whole, steps)
    # Only one is asked; both know of it a step later. The resumed training is asked again.
    said = run(2, stopped, steps, ASK="SIGUSR1@1:1")
    assert said.count("reason=preempted step=3") == 2
    said = run(2, stopped, steps, ASK="SIGINT@0:2")
    assert said.count("reason=interrupted step=7") == 2
    run(2, stopped, steps)
    assert_same(whole, stopped)
