import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from unet_exp.weight_maps import two_nearest as module
from unet_exp.weight_maps.two_nearest import mixed_radix, spread, two_nearest


def one_transform_per_object(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    objects = np.unique(labels[labels > 0])
    distances = [ndimage.distance_transform_edt(labels != i) for i in objects]
    distances += [np.full(labels.shape, np.inf)] * 2
    first, second = np.sort(distances, axis=0)[:2]
    return first, second


def scattered(rows: int, columns: int, objects: int, seed: int) -> np.ndarray:
    """Discs and single pixels, later ones over earlier ones, with gaps in the numbering."""
    random = np.random.default_rng(seed)
    labels = np.zeros((rows, columns), np.int32)
    y, x = np.mgrid[:rows, :columns]
    for i in range(objects):
        radius = random.choice([0, 1, 3, 7])
        disc = np.hypot(y - random.integers(rows), x - random.integers(columns)) <= radius
        labels[disc] = 3 * i + 1
    return labels


def check(labels: np.ndarray, reach: float) -> None:
    first, second = one_transform_per_object(labels)
    d1, d2 = two_nearest(labels, reach)
    background = labels <= 0
    exact = background & (first + second <= reach)
    np.testing.assert_allclose(d1[exact], first[exact], atol=1e-5)
    np.testing.assert_allclose(d2[exact], second[exact], atol=1e-5)
    assert (d1 + d2)[background & ~exact].min(initial=np.inf) > reach - 1e-4


@given(
    rows=st.integers(1, 40),
    columns=st.integers(1, 40),
    objects=st.integers(0, 30),
    reach=st.sampled_from([1.0, 4.5, 12.0, 26.3, 90.0]),
    seed=st.integers(0, 10**6),
)
@settings(deadline=None, max_examples=60)
def test_equals_one_transform_per_object(
    rows: int, columns: int, objects: int, reach: float, seed: int
) -> None:
    check(scattered(rows, columns, objects, seed), reach)


def test_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK", (13, 17))
    check(scattered(70, 90, 40, seed=3), reach=20.0)


def test_a_reach_beyond_sixteen_bits() -> None:
    labels = np.zeros((3, 400), np.int32)
    labels[1, 0], labels[1, -1] = 1, 2
    check(labels, reach=450.0)


def test_more_neighbours_than_groups() -> None:
    # Frames around each other: every box meets every other one.
    y, x = np.mgrid[:280, :280]
    depth = np.minimum.reduce([y, x, 279 - y, 279 - x])
    labels = np.where(depth % 2 == 0, depth // 2 + 1, 0).astype(np.int32)
    assert len(np.unique(spread(labels, 12.0))) == 71
    check(labels, reach=12.0)


def test_labels_far_beyond_the_number_of_pixels() -> None:
    check(np.array([[2**31 - 1, 0, 0, 10**9, 0, -1, 7]], np.int32), reach=9.0)


def test_objects_within_reach_are_in_different_groups() -> None:
    labels = scattered(60, 60, 25, seed=1)
    groups = spread(labels, 10.0)
    for i in np.unique(labels[labels > 0]):
        near = ndimage.distance_transform_edt(labels != i) <= 10
        others = groups[near & (labels > 0) & (labels != i)]
        assert groups[labels == i][0] not in others


@pytest.mark.parametrize("groups", [0, 1, 2, 3, 5, 9, 12, 64, 136, 2000])
def test_any_two_groups_are_apart_in_some_partition(groups: int) -> None:
    partitions = mixed_radix(groups)
    codes = {
        tuple(next(i for i, part in enumerate(parts) if g in part) for parts in partitions)
        for g in range(1, groups + 1)
    }
    assert len(codes) == groups


def test_twelve_groups_need_seven_parts() -> None:
    assert sum(len(parts) for parts in mixed_radix(12)) == 2 + 2 + 3
