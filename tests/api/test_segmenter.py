"""A trained network segments arrays as predict.py segments files."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from tests.running import Command

import unet_exp
from unet_exp.api.segmenter import Segmenter
from unet_exp.inference.overlap_tile import OverlapTile
from unet_exp.inference.predictor import Predictor
from unet_exp.models.unet import UNet
from unet_exp.postprocessing.components import Components
from unet_exp.postprocessing.watershed import Watershed
from unet_exp.prediction.segment_files import Reading
from unet_exp.targets.distance import Distance
from unet_exp.targets.foreground import Foreground
from unet_exp.targets.three_class import ThreeClass


@pytest.fixture(scope="module")
def segmenter(trained: Path) -> Segmenter:
    return unet_exp.load(trained, device="cpu")


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 4000, (70, 90)).astype(np.uint16)


@pytest.fixture
def in_colour() -> Segmenter:
    torch.manual_seed(0)
    network = UNet(in_channels=3, depth=1, base_channels=2).eval()
    predictor = Predictor([network], Foreground(), OverlapTile(), Components())
    return Segmenter(predictor, Reading(3, "zscore", (), "auto"))


def test_an_array_has_the_results_that_predict_py_writes_for_its_file(
    command: Command, trained: Path, image: np.ndarray, tmp_path: Path
) -> None:
    stack = np.stack([image, image[::-1], 2 * image])
    tifffile.imwrite(tmp_path / "stack.tif", stack, photometric="minisblack")
    words = (f"checkpoint={trained}", "input=stack.tif", "output=out", "tta=dihedral")
    done = command("predict", *words, "accelerator=cpu", "postprocessing.threshold=0.4")
    assert done.code == 0, done.err
    ours = unet_exp.load(trained, "postprocessing.threshold=0.4", tta="dihedral", device="cpu")
    found = ours.predict(stack)
    assert found.classes is None
    for kind, array in (("instances", found.instances), ("probabilities", found.probabilities)):
        assert np.array_equal(tifffile.imread(tmp_path / "out" / f"stack_{kind}.tif"), array)


def test_the_order_of_axes_changes_nothing(segmenter: Segmenter, image: np.ndarray) -> None:
    expected = segmenter.probabilities(image)
    for same in (image[None], image[..., None], torch.from_numpy(image.astype(np.int32))):
        assert np.array_equal(segmenter.probabilities(same), expected)
    pages = segmenter.probabilities(np.stack([image, image])[:, None])
    assert np.array_equal(pages, [expected, expected])
    named = segmenter.probabilities(image.T[None, None, :, None], axes="TZXCY")
    assert np.array_equal(named, expected[None, None])


def test_channels_may_be_first_or_last(in_colour: Segmenter) -> None:
    image = np.random.default_rng(0).random((20, 30, 3), np.float32)
    expected = in_colour.probabilities(image)
    assert expected.shape == (20, 30)
    assert np.array_equal(in_colour.probabilities(np.moveaxis(image, -1, 0)), expected)
    pages = in_colour.probabilities(np.stack([image, image]))
    assert np.array_equal(pages, [expected, expected])


def test_colours_become_grey_on_request(trained: Path, image: np.ndarray) -> None:
    grey = unet_exp.load(trained, "channels=luminance", device="cpu")
    colours = np.stack([image] * 3, -1)
    expected = grey.probabilities(image)
    assert np.array_equal(grey.probabilities(colours), expected)
    assert np.array_equal(grey.probabilities(np.stack([colours, colours]))[1], expected)
    second = unet_exp.load(trained, "channels=[1]", device="cpu")
    assert np.array_equal(second.probabilities(np.stack([0 * image, image])), expected)
    with pytest.raises(ValueError, match="names channel 1, and it has only channel 0"):
        second.probabilities(image, axes="YX")


def test_neither_tile_nor_batch_changes_the_result(trained: Path, image: np.ndarray) -> None:
    whole = unet_exp.load(trained, device="cpu").probabilities(image)
    small = unet_exp.load(trained, device="cpu", tile=64, batch_size=3).probabilities(image)
    assert np.allclose(whole, small, atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 1), (5, 7), (3, 200)])
def test_an_image_may_be_smaller_than_the_halo(
    segmenter: Segmenter, shape: tuple[int, ...]
) -> None:
    assert segmenter.segment(np.ones(shape, np.uint8)).shape == shape


@pytest.mark.parametrize(
    ("image", "told"),
    [
        (np.ones((64, 64, 3)), r"shape \(64, 64, 3\).*axes"),
        (np.ones((4, 64, 64, 2)), r"shape \(4, 64, 64, 2\) is no image with 1 channel"),
        (np.ones((64, 64, 3)), "grey of colours, load the network with channels=luminance"),
        (np.ones(64), r"shape \(64,\) is no image with 1 channel.*Give \(h, w\)"),
        (np.ones((0, 64)), r"shape \(0, 64\) and type float64.*holds pixels"),
        (np.array([["a"]]), "type <U1"),
        (np.ones((4, 4), complex), "type complex128"),
        (np.full((9, 9), np.nan), "81 values of 81 that are NaN or infinite"),
        (np.where(np.eye(9) > 0, np.inf, 1.0), "9 values of 81 that are NaN or infinite"),
    ],
)
def test_arrays_that_are_no_images_are_refused(
    segmenter: Segmenter, image: np.ndarray, told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        segmenter.segment(image)


@pytest.mark.parametrize(
    ("axes", "told"),
    [
        ("YX", "do not describe an array"),
        ("YXY", "do not"),
        ("CSX", "do not"),
        ("CYX", "2 channels"),
    ],
)
def test_axes_that_do_not_fit_are_refused(segmenter: Segmenter, axes: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        segmenter.segment(np.ones((2, 64, 64)), axes=axes)


def test_an_array_with_ambiguous_axes_is_refused(in_colour: Segmenter) -> None:
    with pytest.raises(ValueError, match=r"may be CYX or YXC\. Say which, such as axes=CYX"):
        in_colour.segment(np.ones((3, 20, 3)))
    assert in_colour.segment(np.ones((3, 20, 3)), axes="YXC").shape == (3, 20)


def test_values_without_data_are_background(trained: Path, image: np.ndarray) -> None:
    pixels = image.astype(np.float32)
    pixels[:10] = np.nan
    found = unet_exp.load(trained, "nodata=nan", device="cpu").probabilities(pixels)
    assert not found[:10].any()
    assert found[10:].all()


def test_a_wrong_override_or_checkpoint_is_explained(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"Did you mean postprocessing\.threshold"):
        unet_exp.load(trained, "postprocessing.treshold=0.4")
    with pytest.raises(ValueError, match="an array has none"):
        unet_exp.load(trained, "scale=auto")
    with pytest.raises(ValueError, match="tta=twice"):
        unet_exp.load(trained, tta="twice")
    with pytest.raises(FileNotFoundError, match="holds no checkpoint"):
        unet_exp.load(tmp_path)


def test_the_package_is_light() -> None:
    script = (
        "import sys, unet_exp; dir(unet_exp); print(len([m for m in sys.modules if m in HEAVY]))"
    )
    heavy = ("numpy", "torch", "lightning", "hydra", "omegaconf", "scipy")
    done = subprocess.run(
        [sys.executable, "-c", f"HEAVY = {heavy}; {script}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "0"


def test_each_public_name_exists() -> None:
    assert set(unet_exp.__all__) <= set(dir(unet_exp))
    for name in unet_exp.__all__:
        assert getattr(unet_exp, name).__doc__
    with pytest.raises(AttributeError, match="no attribute 'laod'"):
        _ = unet_exp.laod  # pyright: ignore[reportAttributeAccessIssue]


def test_instances_change_without_the_network(segmenter: Segmenter, image: np.ndarray) -> None:
    found = segmenter.predict(np.stack([image, image[::-1]]))
    assert np.array_equal(segmenter.instances(found), found.instances)
    level = float(np.quantile(found.probabilities, 0.7))
    changed = segmenter.instances(found, threshold=level, min_size=9, fill_holes=False, grow=0)
    mask = found.probabilities > np.float32(level)
    assert not np.any(changed[~mask])
    assert np.bincount(changed[0].ravel())[1:].min() >= 9
    assert 0 < changed.max() < segmenter.instances(found, threshold=level).max()
    assert [one.name for one in segmenter.parameters][:2] == ["threshold", "min_size"]


def test_instances_keep_out_of_values_without_data(trained: Path, image: np.ndarray) -> None:
    pixels = image.astype(np.float32)
    pixels[30:40, 30:40] = np.nan
    ours = unet_exp.load(trained, "nodata=nan", "postprocessing.threshold=0.99", device="cpu")
    found = ours.predict(pixels)
    filled = ours.instances(found, threshold=0.0)  # the hole without data is enclosed
    assert filled[29, 29] > 0
    assert not filled[30:40, 30:40].any()


def test_instances_of_classes_and_of_a_height() -> None:
    image = np.random.default_rng(0).random((40, 50), np.float32)
    for target in (ThreeClass(), Distance()):
        torch.manual_seed(0)
        network = UNet(depth=1, base_channels=2, out_channels=target.out_channels).eval()
        watershed = Watershed(height=target.height, smoothing=0)
        ours = Segmenter(
            Predictor([network], target, OverlapTile(), watershed),
            Reading(1, "zscore", (), "auto"),
        )
        changes = {"threshold": 0.3, "seed_threshold": 0.0, "contrast": 0.01}
        again = Segmenter(
            Predictor([network], target, OverlapTile(), replace(watershed, **changes)), ours.reading
        )
        found = again.predict(image).instances
        assert found.max() > 1
        assert np.array_equal(ours.instances(ours.predict(image), **changes), found)


def test_wrong_parameters_are_explained(segmenter: Segmenter, image: np.ndarray) -> None:
    found = segmenter.predict(image)
    with pytest.raises(ValueError, match=r"treshold=0.4 is no parameter of Components\. Choose"):
        segmenter.instances(found, treshold=0.4)
    with pytest.raises(ValueError, match=r"threshold=2 is out of range.*from 0 to 1"):
        segmenter.instances(found, threshold=2)


def test_progress_is_reported_and_may_end_the_segmentation(
    segmenter: Segmenter, image: np.ndarray
) -> None:
    told: list[tuple[int, int]] = []
    segmenter.predict(np.stack([image, image]), progress=lambda *steps: told.append(steps))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]

    def stop(done: int, steps: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        segmenter.predict(image, progress=stop)
