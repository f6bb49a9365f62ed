"""A short form of ``python -m campaigns load``: inputs of some hundred objects and validations."""

from pathlib import Path
from random import Random

import numpy as np
import pytest
from campaigns.growth import Load, growing
from campaigns.inputs import finished_run, labelled, many_objects
from campaigns.objects import objects_of
from campaigns.validations import validate_often

from unet_exp.datasets.folder import Folder

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
OBJECTS = objects_of()


@pytest.mark.parametrize("name", OBJECTS)
def test_an_image_of_many_objects_passes(tmp_path: Path, name: str) -> None:
    load = Load(200, many_objects, OBJECTS[name])
    assert growing(load, 1.0)(Random(0), tmp_path).startswith("n = 200: ")


def test_an_image_has_as_many_objects_as_are_asked_for(tmp_path: Path) -> None:
    many_objects(tmp_path, 7)
    inside = np.load(tmp_path / "foreground.npy") > 0.5
    assert inside.sum() == 7 * 16
    assert inside.shape == (18, 18)


def test_a_run_of_many_validations_passes(tmp_path: Path) -> None:
    trained = tmp_path / "trained"
    trained.mkdir()
    (trained / "metrics.csv").write_text("step,seconds,val/seg\n4,10.0,0.5\n")
    load = Load(100, lambda here, size: finished_run(trained, here / "run", size), validate_often)
    assert growing(load, 1.0)(Random(0), tmp_path).startswith("n = 100: ")


def test_folders_have_labelled_images_to_validate_on(tmp_path: Path) -> None:
    labelled(tmp_path, 5)
    assert len(Folder(str(tmp_path)).split("validation")) == 5
