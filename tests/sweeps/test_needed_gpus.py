import pytest
from hydra._internal.callbacks import Callbacks
from hydra._internal.hydra import Hydra
from hydra._internal.utils import create_config_search_path
from hydra.types import HydraContext, RunMode

from unet_exp.configuration import groups, schema
from unet_exp.sweeps.job_runner import JobRunner
from unet_exp.sweeps.needed_gpus import needed_gpus


@pytest.fixture(scope="module")
def runner() -> JobRunner:
    schema.register()
    path = create_config_search_path(str(groups.CONF))
    hydra = Hydra.create_main_hydra2(task_name="train", config_search_path=path)
    config = hydra.compose_config("train", [], run_mode=RunMode.MULTIRUN)
    context = HydraContext(config_loader=hydra.config_loader, callbacks=Callbacks(config))
    return JobRunner(context, lambda cfg: None, config)


@pytest.mark.parametrize(
    ("jobs", "gpus"),
    [
        ([["trainer=cpu", "seed=1"], ["trainer=cpu", "seed=2"]], 0),
        ([["seed=1"]], 1),
        ([["trainer=ddp"]], 1),
        ([["trainer=cpu"], ["trainer=ddp", "trainer.devices=2"]], 2),
        ([["trainer=ddp", "trainer.devices=[0,3]"]], 4),
        ([["trainer=ddp", "trainer.devices=${seed}", "seed=4"]], 4),
        ([["+n=3", "trainer=ddp", "trainer.devices=${n}"]], 3),
    ],
)
def test_the_job_that_needs_most_decides(
    runner: JobRunner, jobs: list[list[str]], gpus: int
) -> None:
    assert needed_gpus(runner, jobs) == gpus
