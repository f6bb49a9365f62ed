import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from unet_exp.augmentations.elastic import bicubic_basis, coordinate_map, reach


@pytest.mark.parametrize(("points", "size"), [(3, 65), (3, 512), (4, 100), (2, 9)])
def test_is_pytorchs_bicubic_resizing_of_the_grid(points: int, size: int) -> None:
    grid = np.random.default_rng(0).normal(0, 10, (2, points, points))
    field = coordinate_map(size, np.zeros((2, 2)), grid)
    expected = interpolate(
        torch.from_numpy(grid)[None], size=(size, size), mode="bicubic", align_corners=True
    )
    np.testing.assert_allclose(field, expected[0], atol=1e-4)


def test_passes_through_the_control_points() -> None:
    grid = np.random.default_rng(1).normal(0, 10, (2, 3, 3))
    field = coordinate_map(101, np.zeros((2, 2)), grid)
    np.testing.assert_allclose(field[:, ::50, ::50], grid, atol=1e-5)


def test_the_kernel_half_way() -> None:
    # Keys with a = -0.75 at distances 1.5, 0.5, 0.5, 1.5; the edge is repeated beyond the grid.
    a = -0.75
    near, far = (a + 2) / 8 - (a + 3) / 4 + 1, a * (27 / 8 - 5 * 9 / 4 + 8 * 1.5 - 4)
    np.testing.assert_allclose(bicubic_basis(3, 5)[1], [near + far, near, far], atol=1e-6)
    np.testing.assert_allclose(bicubic_basis(7, 19).sum(1), 1, atol=1e-6)


def test_slopes_do_not_jump_at_control_points() -> None:
    # A kink would keep its jump in slope however fine the pixels; a smooth field halves it.
    grid = np.random.default_rng(2).normal(0, 10, (2, 3, 3))
    jumps = []
    for size in (201, 401, 801):
        field = coordinate_map(size, np.zeros((2, 2)), grid)[0].astype(np.float64) * size
        middle = (size - 1) // 2
        before = field[middle] - field[middle - 1]
        after = field[middle + 1] - field[middle]
        jumps.append(np.abs(after - before).max())
    assert jumps[1] < 0.6 * jumps[0]
    assert jumps[2] < 0.6 * jumps[1]


def test_the_matrix_turns_about_the_centre() -> None:
    quarter = np.array([[0.0, 1.0], [-1.0, 0.0]])
    rows, columns = coordinate_map(4, quarter, np.zeros((2, 3, 3)))
    np.testing.assert_allclose(rows[0], [-1.5, -0.5, 0.5, 1.5])
    np.testing.assert_allclose(columns[:, 0], [1.5, 0.5, -0.5, -1.5])


def test_the_centre_is_added() -> None:
    rows, columns = coordinate_map(3, np.eye(2), np.zeros((2, 3, 3)), (10.5, 20.0))
    np.testing.assert_allclose(rows[:, 0], [9.5, 10.5, 11.5])
    np.testing.assert_allclose(columns[0], [19, 20, 21])


@pytest.mark.parametrize("points", [2, 3, 5, 7])
@pytest.mark.parametrize("seed", range(10))
def test_reach_is_a_bound_and_not_far_beyond(points: int, seed: int) -> None:
    random, size = np.random.default_rng(seed), 100
    for deviation in (0.0, 10.0):
        matrix, grid = random.normal(size=(2, 2)), random.normal(0, deviation, (2, points, points))
        furthest = np.abs(coordinate_map(size, matrix, grid)).max((1, 2))
        bound = np.array(reach(size, matrix, grid))
        assert (furthest <= bound + 1e-3).all()
        assert (bound <= furthest + 8 * deviation + 1e-3).all()
