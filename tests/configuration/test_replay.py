from pathlib import Path

import pytest
from tests.running import TINY, Command

from unet_exp.configuration.replay import (
    RecordError,
    fault,
    replayed,
    require_no_links,
    require_plain,
)


@pytest.mark.parametrize(
    "text",
    [
        "model.depth=5",
        "model.depth=3,4,5",
        "seed=range(5)",
        "dataset=hela",
        "metric=[iou,seg]",
        "+metric=dice",
        "~logger",
        "sweep=folds",
        "optimizer.lr=tag(log,interval(1e-4,1e-2))",
        "dataset.annotations=gold+silver",
        "dataset.name=Fluo-N2DL-HeLa",
        'name="a day, in {braces}"',
        "tags=[a,b]",
        "monitor={metric:iou,mode:max}",
        "hydra/launcher=ray",
        "hydra.launcher.gpus_per_job=0.5",
        "hydra.launcher.partition=gpu",
        "hydra.sweeper.objectives=[val/seg,seconds]",
        "hydra/sweeper/sampler=random",
        "++hydra.sweeper.pruner.lower=2",
        "trainer.max_time='00:01:00:00'",
    ],
)
def test_plain_values_of_options_are_repeated(text: str) -> None:
    assert fault(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "+hydra.callbacks.x={_target_:os.system,command:true}",
        "+hydra.callbacks.x._target_=os.system",
        "+metric.x={_target_:torch.hub.load}",
        "+metric.x._target_=torch.hub.load",
        "metric.iou.background={_target_:os.getcwd}",
        "+metric.x={a:[{_target_:os.getcwd}]}",
        "augmentation.transforms=[{_target_:albumentations.GaussianBlur}]",
        "+model._args_=[a]",
        "model.depth=${oc.env:HOME}",
        "name='${oc.env:HOME}'",
        "+dataset@metric.iou.background=cell_tracking",
        "dataset=../../../tmp/evil",
        "dataset=/tmp/evil",
        "dataset=a/../../evil",
        "experiment=[a,../evil]",
        "dataset.root=/home/me",
        "dataset.root=a,b",
        "dataset={root:/home/me}",
        "data_dir=/home/me",
        "dataset.url=http://host/evil.zip",
        "ckpt_path=evil.ckpt",
        "trainer.options.profiler=advanced",
        "trainer.options={default_root_dir:/}",
        "logger.entity=somebody",
        "logger.log_checkpoints=true",
        "trainer={options:{callbacks:[]}}",
        "dataset.archive_limit=1e12",
        "hydra.launcher.account=somebody",
        "hydra.searchpath=[file:///tmp]",
        "hydra.run.dir=/tmp",
        "hydra.job.env_set.PATH=/tmp",
        "hydra.output_subdir=/tmp",
        "hydra.launcher.setup=[reboot]",
        "hydra.launcher.folder=/tmp",
        "hydra.launcher={setup:[reboot]}",
        "hydra.launcher.init.address=auto",
        "hydra.launcher.additional_parameters={wrap:reboot}",
        "hydra.sweeper.storage=sqlite:////tmp/a.db",
        "hydra.sweeper._target_=os.system",
        "hydra.sweeper.sampler._target_=os.system",
        "hydra.sweeper.sampler={_target_:os.system,command:true}",
        "++hydra.sweeper.sampler.independent_sampler={_target_:os.system}",
        "hydra/sweeper/sampler=../../evil",
        'hydra.launcher.partition="a\nreboot"',
        'name="a\nreboot"',
        "--config-dir=/tmp",
        "-cd",
        "no override",
        "unheard.of=1",
        "[" * 5000,
    ],
    ids=lambda text: text[:40],
)
def test_other_overrides_are_not_repeated(text: str) -> None:
    assert fault(text) is not None


def test_given_overrides_replace_those_of_the_same_key() -> None:
    recorded = ["dataset=folder", "dataset.root=/evil", "seed=0,1", "+metric=dice"]
    given = ["dataset.root=mine", "++metric=iou", "hydra/launcher=ray"]
    assert replayed(recorded, given, "sweep") == [
        "dataset=folder", "dataset.root=mine", "seed=0,1", "++metric=iou", "hydra/launcher=ray",
    ]  # fmt: skip


def test_an_override_recorded_twice_is_replaced_once() -> None:
    recorded = ["model.depth=2", "seed=1", "model.depth=1", "+metric=dice", "+metric=iou"]
    assert replayed(recorded, ["model.depth=3"], "sweep") == [
        "model.depth=3", "seed=1", "+metric=dice", "+metric=iou",
    ]  # fmt: skip


def test_an_override_given_twice_is_kept_twice() -> None:
    given = ["+metric=dice", "+metric=iou"]
    assert replayed(["+metric=seg", "seed=1"], given, "sweep") == [*given, "seed=1"]
    assert replayed(["seed=1"], given, "sweep") == ["seed=1", *given]


def test_another_launcher_leaves_the_values_of_the_first() -> None:
    recorded = ["hydra/launcher=slurm", "hydra.launcher.partition=gpu", "seed=0,1"]
    given = ["hydra/launcher=basic"]
    assert replayed(recorded, given, "sweep") == ["hydra/launcher=basic", "seed=0,1"]
    assert replayed(recorded, ["hydra/launcher=slurm"], "sweep") == recorded
    search = [
        "hydra/sweeper=optuna",
        "hydra/sweeper/sampler=cmaes",
        "hydra.sweeper.sampler.sigma0=1",
    ]
    assert replayed(search, ["hydra/sweeper=grid"], "sweep") == ["hydra/sweeper=grid"]
    other = ["hydra/sweeper/sampler=random"]
    assert replayed(search, other, "sweep") == ["hydra/sweeper=optuna", *other]


def test_overrides_to_give_again_are_named() -> None:
    recorded = ["dataset=folder", "dataset.root=/evil", "hydra.launcher.setup=[reboot]"]
    with pytest.raises(RecordError) as caught:
        replayed(recorded, ["seed=1"], "a/sweep")
    told = str(caught.value)
    assert told.startswith("a/sweep is recorded to have been started with dataset.root=/evil hydra")
    assert "names a path" in told
    assert "add it to the command again" in told


def test_jobs_have_plain_values_or_those_of_the_user() -> None:
    require_plain(["seed=1", "dataset.root=a"], {"dataset.root=a", "dataset.root=b"}, "sweep")
    with pytest.raises(RecordError, match=r"a job with dataset\.root=c"):
        require_plain(["seed=1", "dataset.root=c"], {"dataset.root=a"}, "sweep")


@pytest.mark.parametrize("place", ["train.log", ".hydra/config.yaml", "checkpoints/last.ckpt"])
def test_a_run_is_not_resumed_through_a_link(command: Command, place: str) -> None:
    Path("private").write_text("mine")
    link = Path("run", place)
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(Path("private").resolve())
    done = command("train", *TINY, "hydra.run.dir=run", "resume=true")
    assert done.code == 1
    assert f"run/{place} is a link to a file outside of run" in done.err
    assert Path("private").read_text() == "mine"


def test_links_of_others_in_a_folder_do_not_matter(tmp_path: Path) -> None:
    (tmp_path / ".venv").symlink_to("/usr")
    require_no_links(tmp_path)
