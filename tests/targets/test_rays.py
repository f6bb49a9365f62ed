import numpy as np
import pytest

from unet_exp.targets.rays import ray_distances, turned_rays


def test_a_square_from_its_middle_and_from_its_corner() -> None:
    labels = np.pad(np.full((5, 5), 7, np.int32), 3)
    distances = ray_distances(labels, 8)
    # The middle is 2.5 pixels from each side, and 2.5 times the root of 2 from each corner.
    np.testing.assert_allclose(distances[:, 5, 5], [2.5, 2.5 * 2**0.5] * 4, rtol=1e-6)
    # Rays turn clockwise from the right: down is the third.
    right, down_right, down, _, left, up_left, up, _ = distances[:, 3, 3]
    assert [right, down, left, up] == [4.5, 4.5, 0.5, 0.5]
    np.testing.assert_allclose([down_right, up_left], [4.5 * 2**0.5, 0.5 * 2**0.5], rtol=1e-6)
    assert not distances[:, labels == 0].any()


def test_a_disc_has_its_radius_in_each_direction() -> None:
    y, x = np.mgrid[-40:41, -40:41]
    distances = ray_distances((np.hypot(y, x) <= 30).astype(np.int32), 32)
    np.testing.assert_allclose(distances[:, 40, 40], 30, atol=1)
    # From 18 pixels left of the middle: to the left 12, straight up and down 24, to the right 48.
    np.testing.assert_allclose(distances[[16, 8, 24, 0], 40, 22], [12, 24, 24, 48], atol=1)


def test_rays_end_at_other_objects_unknown_pixels_and_the_edge() -> None:
    labels = np.array([[1, 1, 2, 2, 2, -1, 3]], np.int64)
    right, _, left, _ = ray_distances(labels, 4)
    np.testing.assert_array_equal(right, [[1.5, 0.5, 2.5, 1.5, 0.5, 0, 0.5]])
    np.testing.assert_array_equal(left, [[0.5, 1.5, 0.5, 1.5, 2.5, 0, 0.5]])


def test_a_ray_longer_than_a_byte_counts() -> None:
    labels = np.full((1, 700), 10**9)
    assert ray_distances(labels, 4)[0, 0, 0] == 699.5
    assert not ray_distances(np.zeros((2, 3), np.int32), 4).any()


@pytest.mark.parametrize("turns", [1, 2, 3])
@pytest.mark.parametrize("flip", [False, True])
def test_turned_rays_are_those_of_the_turned_labels(turns: int, flip: bool) -> None:
    labels = np.kron(np.random.default_rng(3).integers(0, 4, (6, 7)), np.ones((5, 5), int))
    quarter = np.array([[0.0, -1.0], [1.0, 0.0]])  # np.rot90 takes right to up, down to right
    matrix = np.diag([1.0, -1.0 if flip else 1.0]) @ np.linalg.matrix_power(quarter, turns)

    def turn(image: np.ndarray) -> np.ndarray:
        image = np.rot90(image, turns, axes=(-2, -1))
        return image[..., ::-1] if flip else image

    found = turned_rays(turn(ray_distances(labels, 16)), matrix)
    np.testing.assert_allclose(found, ray_distances(turn(labels), 16), rtol=1e-3)


def test_a_matrix_for_each_pixel_and_an_unknown_one() -> None:
    distances = np.array([1, 2, 3, 4], np.float32).reshape(4, 1, 1).repeat(3, 2)
    distances[:, 0, 2] = 0
    matrix = np.stack([3 * np.eye(2), np.full((2, 2), np.nan), np.eye(2)], -1)[:, :, None]
    found = turned_rays(distances, matrix)
    np.testing.assert_allclose(found[:, 0, 0], [3, 6, 9, 12], rtol=1e-5)
    assert np.isnan(found[:, 0, 1]).all()
    assert not found[:, 0, 2].any()
