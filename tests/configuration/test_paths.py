"""Each run gets a new folder, and relative paths mean the same everywhere."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf, open_dict, read_write
from tests.running import TINY, TINY_FILES, Command, own_images

from unet_exp.configuration import groups, schema
from unet_exp.configuration.paths import OutputFolder, made, new_folder, settle_paths, tidy


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr("unet_exp.configuration.paths.made", made)
    return tmp_path / "home"


def composed(*words: str, config: str = "train") -> DictConfig:
    schema.register()
    with initialize_config_dir(str(groups.CONF), version_base="1.3"):
        return compose(config, overrides=list(words), return_hydra_config=True)


def current(cfg: DictConfig) -> DictConfig:
    """A task's part of a configuration, with Hydra's part where it belongs."""
    HydraConfig.instance().set_config(cfg)
    own = cfg.copy()
    with open_dict(own):
        del own["hydra"]
    return own


def test_folders_made_at_the_same_time_are_all_new(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: new_folder(tmp_path / "a" / "09-30"), range(40)))
    assert len(set(found)) == 40
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == sorted(
        ["09-30", *(f"09-30_{n}" for n in range(2, 41))]
    )


@pytest.mark.parametrize("config", ["train", "evaluate"])
@pytest.mark.parametrize("kind", ["run", "sweep"])
def test_commands_within_one_second_get_separate_folders(
    home: Path, config: str, kind: str
) -> None:
    start = OutputFolder().on_run_start if kind == "run" else OutputFolder().on_multirun_start
    cfg = composed("name=a" if config == "train" else "run=a", config=config)
    folders = []
    for _ in range(3):
        own = cfg.copy()
        OmegaConf.copy_cache(cfg, own)  # the same second
        start(own)
        folders.append(own.hydra[kind].dir)
        assert Path(own.hydra[kind].dir).is_dir()
    assert len(set(folders)) == 3
    tidy()
    assert not any(Path(folder).exists() for folder in folders)
    assert not Path("outputs").exists()


def test_the_jobs_of_a_sweep_get_its_folder(home: Path) -> None:
    Path("a").mkdir()
    cfg = composed("hydra.sweep.dir='~/b, \"c\"'")
    OutputFolder().on_multirun_start(cfg)
    assert cfg.hydra.sweep.dir == f'{home}/b, "c"'
    again = composed(*cfg.hydra.overrides.hydra)
    assert again.hydra.sweep.dir == f'{home}/b, "c"'


def test_a_given_folder_is_not_changed(home: Path) -> None:
    Path("run").mkdir()
    cfg = composed("hydra.run.dir=run")
    OutputFolder().on_run_start(cfg)
    assert cfg.hydra.run.dir == "run"
    cfg = composed("hydra.run.dir='~/run'", "hydra.job.chdir=true")
    OutputFolder().on_run_start(cfg)
    assert cfg.hydra.run.dir == f"{home}/run"


def test_trainings_that_start_together_leave_two_records(command: Command) -> None:
    for _ in range(2):
        words = ("preview=true", "hydra.run.dir='runs/${now:%Y}'")
        assert command("train", *TINY, *words).code == 0
    assert len(list(Path("runs").glob("*/pictures/training_samples.png"))) == 2


def test_a_refused_sweep_leaves_no_folder(command: Command) -> None:
    assert command("train", "-m", *TINY, "model.depth=2,9").code == 1
    assert not Path("outputs").exists()


def test_the_home_folder_is_known_in_configuration_files_and_the_environment(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNET_EXP_DATA", "~/data")
    cfg = composed(
        "dataset=hela", "ckpt_path='~/a.ckpt'", "+callbacks.keep={dirpath: '~/kept', k: '~'}",
        "name='~/mine'", "tags=['~/x']",
    )  # fmt: skip
    cfg = current(cfg)
    settle_paths(cfg)
    assert cfg.data_dir == cfg.dataset.data_dir == f"{home}/data"
    assert cfg.ckpt_path == f"{home}/a.ckpt"
    assert cfg.callbacks.keep == {"dirpath": f"{home}/kept", "k": str(home)}
    assert (cfg.name, cfg.tags) == ("~/mine", ["~/x"])


def test_relative_paths_keep_their_meaning_when_hydra_changes_the_directory(home: Path) -> None:
    words = ("input=[a/*.tif,/b/c.tif]", "output=out/", "checkpoint=x.ckpt")
    for chdir in (False, True):
        cfg = composed(*words, f"hydra.job.chdir={chdir}", config="predict")
        with read_write(cfg.hydra.runtime):
            cfg.hydra.runtime.cwd = "/start"
        cfg = current(cfg)
        settle_paths(cfg)
        start = "/start/" if chdir else ""
        assert cfg.input == [f"{start}a/*.tif", "/b/c.tif"]
        assert (cfg.output, cfg.checkpoint) == (f"{start}out/", f"{start}x.ckpt")


def test_a_training_that_moves_finds_its_data_and_its_checkpoint_finds_them_again(
    command: Command, home: Path
) -> None:
    own_images(Path("own"))
    moving = "hydra.job.chdir=true"
    words = ("dataset=folder", "dataset.root=own", "hydra.run.dir=~/run", moving)
    done = command("train", *TINY_FILES, *words)
    assert done.code == 0, done.err
    assert not (home / "run" / "own").exists()
    words = ("+dataset.root=own", "pictures=0", "hydra.job.chdir=true")
    done = command("evaluate", "run=~/run", *words)
    assert done.code == 0, done.err
    scores = list(Path("outputs/evaluations").glob("*/evaluation.json"))
    assert len(scores) == 1
    images = ("input=own/images", "output=~/seg")
    best = "checkpoint=~/run/checkpoints/best.ckpt"
    done = command("predict", best, *images, "hydra.job.chdir=true")
    assert done.code == 0, done.err
    assert tifffile.imread(home / "seg" / "0_instances.tif").shape == (64, 72)
    assert not Path("~").exists()


@pytest.mark.parametrize("name", ["../../out", 'a, b/c\'s "d" [e] 😀 é=1', ".hidden", "C" * 300])
def test_a_name_of_any_letters_stays_within_the_runs(command: Command, name: str) -> None:
    done = command("train", *TINY, f"name={name}", "preview=true", f"tags=[{name[:3]},it's]")
    assert done.code == 0, done.err
    (sheet,) = Path.cwd().rglob("training_samples.png")
    parts = sheet.relative_to(Path("outputs/runs").absolute()).parts
    assert len(parts) == 4  # NAME/STAMP/pictures/...
    assert not parts[0].startswith(".")
    held = OmegaConf.load(sheet.parents[1] / ".hydra" / "config.yaml")
    assert held.name == name


def test_backslashes_in_paths_stay(command: Command, trained: Path) -> None:
    image = np.random.default_rng(0).integers(0, 255, (40, 53), np.uint8)
    Path("a\\b (1)").mkdir()
    tifffile.imwrite("a\\b (1)/x\\y.tif", image)
    best = f"checkpoint={trained}/checkpoints/best.ckpt"
    done = command("predict", best, "input=a\\b (1)/x\\y.tif", "output=out\\1, 2")
    assert done.code == 0, done.err
    assert Path("out\\1, 2/x\\y_instances.tif").exists()
