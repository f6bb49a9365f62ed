"""Settings that a single run ignores are refused, and so are overrides without effect."""

from pathlib import Path

import pytest
from tests.running import TINY, Command


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["+hydra.sweeper.params.seed='0,1'"], "hydra.sweeper.params names the values of several"),
        (["sweep=folds", "hydra.mode=RUN"], "(dataset.fold=0,1), and this is a single run"),
        (["hydra/launcher=ray"], "hydra/launcher=ray is for sweeps"),
        (["hydra/sweeper=optuna"], "hydra/sweeper=optuna is for sweeps"),
        (["hydra/sweeper=optuna", "hydra.sweeper.n_trials=3"], "is for sweeps"),
        (["hydra.sweep.dir=jobs"], "hydra.sweep.dir"),
        (["hydra.sweep.subdir=job"], "hydra.sweep.subdir=job is for sweeps"),
        (["seed=0,1"], "Add -m"),
        (["optimizer=adamw,sgd"], "Add -m"),
        (["metric=iou,dice"], "Add -m"),
        (["optimizer.lr=interval(1e-4,1e-2)"], "Add -m"),
        (["seed=range(3)"], "Add -m"),
    ],
)
def test_settings_of_a_sweep_are_refused_in_a_single_run(
    command: Command, words: list[str], named: str
) -> None:
    done = command("train", *TINY, *words)
    assert done.code == 1
    assert named in done.err
    assert "-m" in done.err
    assert not list(Path.cwd().rglob("*.ckpt"))


def test_a_configuration_with_values_of_several_jobs_is_refused_without_its_mode(
    command: Command,
) -> None:
    Path("mine/experiment").mkdir(parents=True)
    text = "# @package _global_\nhydra: {sweeper: {params: {seed: '0,1'}}}\n"
    Path("mine/experiment/two.yaml").write_text(text)
    words = (*TINY, "experiment=two", f"hydra.searchpath=[file://{Path.cwd()}/mine]")
    done = command("train", *words)
    assert done.code == 1
    assert "hydra.sweeper.params" in done.err
    assert "hydra.mode: MULTIRUN" in done.err
    assert not list(Path.cwd().rglob("*.ckpt"))


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["+trainer.callbacks=[]"], "+callbacks.NAME._target_=CLASS"),
        (["+trainer.loggers=[]"], "trainer.loggers cannot be given"),
        (["+logger.folder=x"], "logger.folder cannot be given"),
        (["+loader.weight_map=x"], "loader.weight_map cannot be given"),
        (["+trainer.options.callbacks=[]"], "callbacks=[early_stopping,lr_monitor]"),
        (["+trainer.options.max_steps=7"], "Give trainer.max_steps=VALUE."),
        (["+callback.x._target_=a.B"], "There is no callback. Did you mean callbacks?"),
        (["+callbacks.x._target_=a_b.C"], "No module named 'a_b'"),
        (["+callbacks.x._target_=torch.nn.Nothing"], "torch.nn.Nothing cannot be imported"),
        (["callbacks.early_stopping.patience=2"], "Choose it first: callbacks=early_stopping."),
        (["metric.det.name=2"], "Choose it first: metric=det."),
    ],
)
def test_overrides_without_effect_are_refused(
    command: Command, words: list[str], named: str
) -> None:
    done = command("train", *TINY, *words)
    assert done.code == 1
    assert named in done.err
    assert not list(Path.cwd().rglob("*.ckpt"))


def test_values_for_others_to_refer_to_may_have_any_name(command: Command) -> None:
    words = ("+width=4", "model.base_channels=${width}", "preview=true", "hydra.run.dir=run")
    assert command("train", *TINY, *words).code == 0


def test_a_required_value_is_named_with_its_whole_key(command: Command) -> None:
    done = command("train", "logger=none", "model=padded")
    assert (done.code, done.err) == (
        1,
        "Error: model.network is not given. Add model.network=...\n",
    )
