from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import albumentations as A
import cv2
import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from torch.utils.data import DataLoader, Dataset

from unet_exp.augmentations.grey_values import GreyValues
from unet_exp.augmentations.microscope import Microscope
from unet_exp.augmentations.paper import Augmentation
from unet_exp.configuration import schema

CONF = Path(__file__).parents[2] / "conf"


def arrays(channels: int = 1, side: int = 90) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    image = cv2.GaussianBlur(random.normal(size=(side, side, channels)), (0, 0), 2)
    image = np.moveaxis(image.reshape(side, side, channels), -1, 0).astype(np.float32)
    target = (image[0] > 0).astype(np.int16)
    return np.ascontiguousarray(image), target, 1 + 3 * target.astype(np.float32)


def same(one: tuple[np.ndarray, ...], other: tuple[np.ndarray, ...]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.fixture
def augment() -> Augmentation:
    return Augmentation(60, 44, transforms=[GreyValues(noise=0.1)])


@pytest.mark.parametrize("channels", [1, 3, 6])
def test_tiles_have_the_sides_and_types_of_input_and_output(
    augment: Augmentation, channels: int
) -> None:
    image, target, weights = augment(*arrays(channels), seed=1)
    assert image.shape == (channels, 60, 60)
    assert target.shape == weights.shape == (44, 44)
    assert (image.dtype, target.dtype, weights.dtype) == (np.float32, np.int16, np.float32)
    assert all(a.flags.c_contiguous for a in (image, target, weights))
    assert set(np.unique(target)) == {0, 1}


def test_a_tile_is_a_function_of_its_seed(augment: Augmentation) -> None:
    first = augment(*arrays(), seed=7)
    for seed in range(20):
        assert same(augment(*arrays(), seed=seed), first) == (seed == 7)
    again = Augmentation(60, 44, transforms=[GreyValues(noise=0.1)])
    assert same(again(*arrays(), seed=7), first)


class Tiles(Dataset):
    def __init__(self, augment: Augmentation) -> None:
        self.augment = augment

    def __len__(self) -> int:
        return 6

    def __getitem__(self, seed: int) -> tuple[np.ndarray, ...]:
        return self.augment(*arrays(), seed=seed)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_the_same_in_every_process(augment: Augmentation) -> None:
    tiles = Tiles(augment)
    here = [tiles[i] for i in range(len(tiles))]
    there = DataLoader(tiles, batch_size=None, num_workers=2, multiprocessing_context="fork")
    assert all(same(tuple(a.numpy() for a in b), a) for a, b in zip(here, there, strict=True))


def test_the_same_with_any_number_of_threads() -> None:
    augment, threads = Augmentation(256, 256), cv2.getNumThreads()
    try:
        cv2.setNumThreads(1)
        one = augment(*arrays(side=300), seed=0)
        cv2.setNumThreads(2)
        assert same(augment(*arrays(side=300), seed=0), one)
    finally:
        cv2.setNumThreads(threads)


def test_geometry_and_grey_values_are_independent_of_each_other() -> None:
    # Transforms that are seeded alike would draw the same numbers.
    augment = Augmentation(
        4, 4, rotation=0.0, flip=False, elastic_std=0.0, transforms=[GreyValues(curve=0.0)]
    )
    rows = np.zeros((2, 1000, 4), np.float32)
    rows[1] = np.arange(1000)[:, None]
    target, weights = np.zeros((1000, 4), np.int16), np.ones((1000, 4), np.float32)
    gains, places = [], []
    for seed in range(300):
        image, _, _ = augment(rows, target, weights, seed=seed)
        gains.append(image[1, 1, 0] - image[1, 0, 0])
        places.append((image[1, 0, 0] - image[0, 0, 0]) / gains[-1])
    assert abs(np.corrcoef(gains, places)[0, 1]) < 0.15


def test_a_target_of_several_channels_of_numbers(augment: Augmentation) -> None:
    image, target, weights = arrays()
    numbers = np.stack([target, -target]).astype(np.float32)
    _, one, _ = augment(image, target, weights, seed=1)
    _, two, _ = augment(image, numbers, weights, seed=1)
    assert two.dtype == np.float32
    np.testing.assert_array_equal(two, np.stack([one, -one]))


def test_the_arguments_are_not_changed(augment: Augmentation) -> None:
    given = arrays()
    augment(*given, seed=0)
    plain = Augmentation(90, 90, rotation=0.0, flip=False, elastic_std=0.0)
    plain(*given, seed=0)[2][:] = 5
    assert same(given, arrays())


def test_a_second_geometry_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Rotate moves pixels.*Use rotation, flip, scale"):
        Augmentation(60, 44, transforms=[A.Rotate()])


@pytest.fixture
def hydra() -> Iterator[None]:
    schema.register()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        yield


def configured(*overrides: str) -> Augmentation:
    node = compose(overrides=[f"+{overrides[0]}", *overrides[1:]]).augmentation
    return instantiate(node, _convert_="all")(size=90, output_size=90)


@pytest.mark.usefixtures("hydra")
def test_none_is_the_image_itself() -> None:
    assert same(configured("augmentation=none")(*arrays(), seed=3), arrays())


@pytest.mark.usefixtures("hydra")
def test_flips_gives_the_eight_orientations_of_the_image() -> None:
    augment, (image, *_) = configured("augmentation=flips"), arrays()
    seen = {augment(*arrays(), seed=seed)[0].tobytes() for seed in range(60)}
    assert len(seen) == 8
    assert image.tobytes() in seen


@pytest.mark.usefixtures("hydra")
def test_paper_has_the_articles_parameters() -> None:
    augment = configured("augmentation=paper")
    tiles, (vary,) = augment.tiles, augment.transforms
    assert (tiles.elastic_std, tiles.elastic_grid, tiles.rotation) == (10.0, 3, 180.0)
    assert isinstance(vary.__self__, GreyValues)  # pyright: ignore[reportFunctionMemberAccess]


@pytest.mark.usefixtures("hydra")
def test_microscopy_has_the_articles_tiles_also_magnified() -> None:
    augment, paper = configured("augmentation=microscopy"), configured("augmentation=paper")
    assert augment.tiles == replace(paper.tiles, scale=1.25)
    (vary,) = augment.transforms
    assert isinstance(vary.__self__, Microscope)  # pyright: ignore[reportFunctionMemberAccess]
    image, target, _ = augment(*arrays(3), seed=0)
    assert np.isfinite(image).all()
    assert set(np.unique(target)) == {0, 1}


@pytest.mark.usefixtures("hydra")
def test_the_grey_values_can_be_chosen_in_yaml() -> None:
    blur = "augmentation.transforms=[{_target_:albumentations.GaussianBlur,sigma_limit:[3,3],p:1}]"
    image, _, _ = configured("augmentation=none", blur)(*arrays(), seed=0)
    assert image.std() < 0.7 * arrays()[0].std()


@pytest.mark.usefixtures("hydra")
def test_a_wrong_type_is_refused() -> None:
    with pytest.raises(Exception, match=r"augmentation\.elastic_std=much"):
        configured("augmentation=paper", "augmentation.elastic_std=much")
