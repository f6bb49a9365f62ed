"""Our transforms within a pipeline of albumentations that a user composes."""

import json
import pickle
from typing import Any

import albumentations as A
import numpy as np
import pytest

from unet_exp.augmentations.grey_values import GreyValues
from unet_exp.augmentations.random_tile import RandomTile
from unet_exp.augmentations.random_tile_transform import RandomTileTransform

RANDOM = np.random.default_rng(0)
IMAGE = RANDOM.normal(size=(50, 40, 2)).astype(np.float32)
MASK = RANDOM.integers(0, 3, (50, 40)).astype(np.int16)
WEIGHTS = RANDOM.random((50, 40), np.float32)


def transforms() -> list[A.BasicTransform]:
    return [
        RandomTileTransform(24, 16, scale=1.2, interpolation="linear"),
        GreyValues(noise=0.1, per_channel=True),
    ]


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(np.array_equal(one[name], other[name]) for name in ("image", "mask"))


def test_the_tile_is_that_of_the_projects_own_path() -> None:
    compose = A.Compose([RandomTileTransform(24, 16)], seed=3)
    (transform,) = compose.transforms
    transform.set_random_seed(3)
    found = compose(image=IMAGE, mask=MASK, weights=WEIGHTS)
    tiles = RandomTile(24, 16)
    tile = tiles.draw(50, 40, np.random.default_rng(3))
    expected = np.moveaxis(tiles.cut_image(np.moveaxis(IMAGE, -1, 0), tile), 0, -1)
    np.testing.assert_array_equal(found["image"], expected)
    np.testing.assert_array_equal(found["mask"], tiles.cut_target(MASK, tile))
    np.testing.assert_array_equal(found["weights"], tiles.cut_weights(WEIGHTS, tile))


def test_serialisation_keeps_every_argument() -> None:
    held = json.loads(json.dumps(A.to_dict(A.Compose(transforms()))))
    again = A.from_dict(held)
    assert A.to_dict(again) == A.to_dict(A.Compose(transforms()))
    cut, vary = again.transforms  # pyright: ignore[reportAttributeAccessIssue]
    assert (cut.tiles.size, cut.tiles.output_size, cut.tiles.scale) == (24, 16, 1.2)
    assert (cut.tiles.interpolation, vary.noise, vary.per_channel) == ("linear", 0.1, True)


def test_one_seed_is_one_result() -> None:
    first, again, other = (
        A.Compose(transforms(), seed=seed)(image=IMAGE, mask=MASK) for seed in (1, 1, 2)
    )
    assert same(first, again)
    assert not same(first, other)


def test_a_replay_repeats_the_tile_and_its_grey_values() -> None:
    compose = A.ReplayCompose(transforms())
    first = compose(image=IMAGE, mask=MASK)
    assert not same(first, compose(image=IMAGE, mask=MASK))
    assert same(first, A.ReplayCompose.replay(first["replay"], image=IMAGE, mask=MASK))


def test_additional_targets_are_changed_as_their_type() -> None:
    compose = A.Compose(transforms(), additional_targets={"other": "image", "classes": "mask"})
    found = compose(image=IMAGE, mask=MASK, other=IMAGE, classes=MASK)
    np.testing.assert_array_equal(found["other"], found["image"])
    np.testing.assert_array_equal(found["classes"], found["mask"])


def test_grey_images_without_a_channel_and_several_masks() -> None:
    found = A.Compose(transforms())(image=IMAGE[..., 0], masks=np.stack([MASK, MASK]))
    assert found["image"].shape == (24, 24)
    assert found["masks"].shape == (2, 16, 16)
    np.testing.assert_array_equal(*found["masks"])


def test_every_slice_and_channel_is_cut_at_the_same_place() -> None:
    other = MASK[::-1].copy()
    found = A.Compose([RandomTileTransform(24, 16)])(
        image=IMAGE,
        mask=np.stack([MASK, other], -1),
        masks=[MASK, other],
        images=np.stack([IMAGE, IMAGE]),
        volume=np.stack([IMAGE, IMAGE]),
        mask3d=np.stack([MASK, other]),
        masks3d=np.stack([MASK, other])[None],
    )
    first, second = np.moveaxis(found["mask"], -1, 0)
    assert first.shape == (16, 16)
    assert not np.array_equal(first, second)
    for kind in ("masks", "mask3d"):
        np.testing.assert_array_equal(found[kind], [first, second])
    np.testing.assert_array_equal(found["masks3d"], [[first, second]])
    for kind in ("images", "volume"):
        np.testing.assert_array_equal(found[kind], [found["image"], found["image"]])


def test_a_pipeline_can_be_sent_to_a_worker_and_leaves_its_input_as_it_is() -> None:
    compose = A.Compose(transforms(), seed=3)
    sent = pickle.loads(pickle.dumps(compose))  # noqa: S301 - our own
    image, mask = IMAGE.copy(), MASK.copy()
    found = compose(image=image, mask=mask)
    assert same(found, sent(image=image, mask=mask))
    np.testing.assert_array_equal(image, IMAGE)
    np.testing.assert_array_equal(mask, MASK)
    assert (found["image"].dtype, found["mask"].dtype) == (np.float32, np.int16)
    assert found["image"].flags.c_contiguous


@pytest.mark.parametrize(
    ("data", "settings"),
    [
        (
            {"bboxes": np.array([[1.0, 1, 9, 9]]), "kinds": [1]},
            {"bbox_params": A.BboxParams("pascal_voc", label_fields=["kinds"])},
        ),
        ({"keypoints": np.array([[3.0, 4]])}, {"keypoint_params": A.KeypointParams("xy")}),
    ],
)
def test_boxes_and_keypoints_are_refused(data: dict[str, Any], settings: dict[str, Any]) -> None:
    with pytest.raises(NotImplementedError, match="no boxes or keypoints"):
        A.Compose([RandomTileTransform(24, 16)], **settings)(image=IMAGE, **data)


def test_integers_are_refused() -> None:
    with pytest.raises(ValueError, match=r"takes float32 images.*not uint8"):
        A.Compose([GreyValues()])(image=np.zeros((4, 4, 1), np.uint8))
