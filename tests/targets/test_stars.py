import cv2
import numpy as np
import pytest
import torch
from tests.targets.drawings import drawn

from unet_exp.losses.classes_and_stars import ClassesAndStars
from unet_exp.postprocessing.stars import BestStars
from unet_exp.targets.stars import StarPolygons
from unet_exp.targets.target import Directed, Target, require_match, target_tensor

LABELS = drawn(
    """
    ...............
    .11111222222...
    .11111222222...
    .11111222222...
    .11111222222...
    .11111222222...
    ...............
    """
)


class Network:
    out_channels = 35


def perfect(target: StarPolygons, labels: np.ndarray) -> torch.Tensor:
    """The evidence of an output that the loss asks for."""
    classes, score, *distances = target_tensor(target.encode(labels).target)
    logits = [20 * (0.5 - classes), 20 * (classes - 0.5), score.logit(eps=1e-4)]
    return target.evidence(torch.stack([*logits, *distances])[None])[0]


def test_it_is_a_target_with_its_loss() -> None:
    assert isinstance(StarPolygons(), Target)
    assert isinstance(StarPolygons(), Directed)
    require_match(StarPolygons(), Network(), ClassesAndStars())
    assert [name for name in StarPolygons().maps if name] == [
        "score", "pixels right", "pixels down", "pixels left", "pixels up"
    ]  # fmt: skip


def test_score_and_distances_by_hand() -> None:
    classes, score, right, down, left, up = StarPolygons(rays=4).encode(LABELS).target
    np.testing.assert_array_equal(classes, LABELS > 0)
    # Object 1 is a square of 5 x 5 pixels: the middle is 3 pixels from the nearest outside.
    np.testing.assert_allclose(score[3, 1:6] * 3, [1, 2, 3, 2, 1], rtol=1e-6)
    assert [one[2, 4] for one in (right, down, left, up)] == [1.5, 3.5, 3.5, 1.5]


def test_unknown_pixels_and_drawn_classes() -> None:
    labels = np.array([[1, 1, 1, 0, -1, 0]])
    target = StarPolygons(num_classes=3, rays=4)
    encoded = target.encode(labels, np.array([[2, 2, 2, 0, 0, 255]], np.uint8))
    np.testing.assert_array_equal(encoded.target[0], [[2, 2, 2, 0, np.nan, np.nan]])
    assert np.isnan(encoded.target[:, 0, 4:]).all()
    assert target.out_channels == 8


@pytest.mark.parametrize("rays", [0, 30])
def test_rays_that_no_quarter_turn_keeps_are_refused(rays: int) -> None:
    with pytest.raises(ValueError, match=rf"target.rays={rays} .* Give (4|32)\."):
        StarPolygons(rays=rays)


def test_images_without_objects_and_with_a_single_one() -> None:
    for labels in (np.zeros((6, 8), np.int32), np.ones((6, 8), np.int32)):
        assert np.isfinite(StarPolygons().encode(labels).target).all()


def test_perfect_outputs_give_squares_back() -> None:
    found = BestStars()(perfect(StarPolygons(), LABELS)).numpy()
    np.testing.assert_array_equal(found, LABELS)


def test_perfect_outputs_give_touching_ellipses_back() -> None:
    labels = np.zeros((90, 90), np.uint8)
    for number, (centre, axes, angle) in enumerate(
        [((25, 25), (20, 12), 30), ((60, 30), (12, 18), 0), ((45, 62), (22, 15), 110)], 1
    ):
        cv2.ellipse(labels, centre, axes, angle, 0, 360, number, -1)
    found = BestStars()(perfect(StarPolygons(), labels.astype(np.int32))).numpy()
    assert found.max() == 3
    for number in (1, 2, 3):
        true = labels == number
        mine = found == np.bincount(found[true]).argmax()
        assert (true & mine).sum() / (true | mine).sum() > 0.9


def test_turned_keeps_classes_and_score() -> None:
    values = np.random.default_rng(0).random((7, 2, 3)).astype(np.float32)
    found = StarPolygons(rays=4).turned(values, np.array([[0.0, 1.0], [-1.0, 0.0]]))
    np.testing.assert_array_equal(found[:3], values[:3])
    np.testing.assert_allclose(found[3:], values[[6, 3, 4, 5]], rtol=1e-5)
