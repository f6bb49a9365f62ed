import pickle
from dataclasses import fields

import numpy as np
import pytest
import torch

from unet_exp.postprocessing.stars import BestStars


def evidence(*stars: tuple[int, int, float, float], size: int = 40) -> torch.Tensor:
    """Two classes, and squares of 4 rays: row, column, score, length."""
    found = torch.zeros(7, size, size)
    for row, column, score, length in stars:
        found[2:, row, column] = torch.tensor([score, *[length] * 4])
    return found


def wild(rays: int = 8, size: int = 90) -> torch.Tensor:
    """Random scores and rays of neighbouring pixels."""
    random = np.random.default_rng(1)
    score = random.random((1, size, size), np.float32)
    rays = 9 * random.random((rays, size, size), np.float32)
    return torch.from_numpy(np.concatenate([np.zeros((2, size, size), np.float32), score, rays]))


def test_a_diamond_has_the_pixels_of_its_definition() -> None:
    found = BestStars()(evidence((12, 20, 0.9, 5.2)))
    rows, columns = np.mgrid[:40, :40]
    np.testing.assert_array_equal(found, abs(rows - 12) + abs(columns - 20) <= 5.2)


def test_the_better_of_two_overlapping_polygons_remains() -> None:
    # Diamonds of 61 pixels, 2 columns apart, share 50 of them; 9 columns apart they share 5.
    near = evidence((12, 12, 0.7, 5), (12, 14, 0.8, 5))
    found = BestStars()(near)
    assert found.max() == 1
    assert found[12, 9] == 1
    assert found[12, 8] == 0  # of the worse one alone
    assert BestStars(overlap=0.9)(near).max() == 2
    assert BestStars()(evidence((12, 12, 0.7, 5), (12, 21, 0.8, 5))).max() == 2


def test_the_better_one_lies_on_top_and_numbers_follow_the_pixels() -> None:
    found = BestStars(overlap=1)(evidence((12, 12, 0.6, 5), (14, 12, 0.9, 5), (3, 30, 0.7, 2)))
    assert found[3, 30] == 1
    assert (found[9:20, 12] == 3).all()
    assert found[7, 12] == 2


def test_scores_and_sizes() -> None:
    stars = evidence((8, 8, 0.6, 1), (20, 20, 0.8, 5))
    assert BestStars()(stars).max() == 2
    assert BestStars(threshold=0.6)(stars).max() == 1
    assert BestStars(min_size=6)(stars).max() == 1
    assert BestStars(min_size=5)(stars).max() == 2
    assert BestStars()(evidence()).max() == 0


def test_polygons_are_cut_at_the_edge() -> None:
    found = BestStars()(evidence((0, 0, 0.9, 3), (39, 39, 0.9, 3)))
    assert (int((found == 1).sum()), int((found == 2).sum())) == (10, 10)


@pytest.mark.parametrize("side", [7, 32, 64])
@pytest.mark.parametrize("min_size", [0, 25])
def test_blocks_give_what_the_whole_image_gives(side: int, min_size: int) -> None:
    stars, image = BestStars(threshold=0.6, min_size=min_size), wild()
    out = np.full(image.shape[1:], 99, np.uint32)
    count = stars.in_blocks(image.numpy(), out, block=side)
    whole = stars(image).numpy()
    np.testing.assert_array_equal(out, whole)
    assert count == whole.max() > 20


def test_no_polygon_in_blocks() -> None:
    out = np.full((40, 40), 9, np.uint32)
    assert BestStars().in_blocks(evidence().numpy(), out, block=16) == 0
    assert not out.any()


def test_wild_rays_are_bounded() -> None:
    assert (BestStars()(evidence((5, 5, 0.9, 1e30))) == 1).all()


def test_evidence_without_rays_is_refused() -> None:
    with pytest.raises(ValueError, match=r"channels 0 to 2\. Train with target=stars"):
        BestStars()(torch.zeros(3, 4, 4))


def test_a_value_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match=r"overlap=1\.5 is out of range"):
        BestStars(overlap=1.5)


CHANGED = {"threshold": 0.7, "overlap": 0.1, "min_size": 9, "score": 3, "fit": False}


@pytest.mark.parametrize("name", [field.name for field in fields(BestStars)])
def test_whatever_changes_the_first_step_is_among_its_parameters(name: str) -> None:
    usual, other = BestStars(), BestStars(**{name: CHANGED[name]})
    same = pickle.dumps(usual.prepare(wild())) == pickle.dumps(other.prepare(wild()))
    assert same == (usual.preparation == other.preparation)
