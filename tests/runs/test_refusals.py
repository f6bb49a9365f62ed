"""A refused command writes nothing and changes nothing."""

from pathlib import Path

import pytest
from tests.running import TINY, Command


def everything() -> dict[str, bytes | None]:
    files = (p for p in Path.cwd().rglob("*") if "cache" not in p.parts)
    return {str(p): p.read_bytes() if p.is_file() else None for p in files}


@pytest.mark.parametrize(
    "words",
    [
        ("train", *TINY, "model.depth=12"),
        ("train", *TINY, "model.dpth=3"),
        ("train", *TINY, "+model.dpth=3"),
        ("train", *TINY, "seed=abc"),
        ("train", *TINY, "loader.tile=50"),
        ("train", *TINY, "trainer.max_steps=0"),
        ("train", *TINY, "trainer.precision=33"),
        ("train", *TINY, "trainer.devices=[0,1]"),
        ("train", *TINY, "logger=wandb", "logger.mode=maybe"),
        ("train", *TINY, "ckpt_path=nowhere"),
        ("train", *TINY, "ckpt_path=table.ckpt"),
        ("train", *TINY, "trainer.max_steps=0", "hydra.run.dir=a/b/c"),
        ("train", *TINY, "trainer.max_steps=0", "hydra.run.dir=empty"),
        ("train", "-m", *TINY, "loader.tile=48,50"),
        ("evaluate", "run=nowhere"),
        ("evaluate", "checkpoint=table.ckpt"),
        ("predict", "checkpoint=table.ckpt", "input=table.tif", "output=out"),
        ("predict", "checkpoint=nowhere", "input=table.tif", "output=out"),
    ],
    ids=lambda words: " ".join((words[0], *words[-2:])),
)
def test_a_refused_command_leaves_nothing(command: Command, words: tuple[str, ...]) -> None:
    Path("table.ckpt").write_text("1,2")
    Path("table.tif").write_text("1,2")
    Path("empty").mkdir()
    before = everything()
    assert command(*words).code == 1
    assert everything() == before


def test_an_existing_folder_keeps_its_files(command: Command) -> None:
    run = (*TINY, "dataset.validation=1", "hydra.run.dir=run")
    assert command("train", *run, "seed=5").code == 0
    before = everything()
    log = str(Path("run/train.log").absolute())
    for words in ((), ("resume=true", "seed=6"), ("trainer.max_steps=0",)):
        assert command("train", *run, *words).code == 1
        now = everything()
        assert now.pop(log).startswith(before[log])
        assert now == {path: content for path, content in before.items() if path != log}


def test_a_run_that_has_begun_is_kept(command: Command) -> None:
    growing = ("scheduler=poly", "scheduler.power=-60", "optimizer=sgd", "optimizer.lr=1e-3")
    words = (*growing, "model.norm=none", "trainer.max_steps=12")
    assert command("train", *TINY, *words, "hydra.run.dir=run").code == 1
    assert Path("run/train.log").exists()
    assert Path("run/checkpoints/last.ckpt").exists()
