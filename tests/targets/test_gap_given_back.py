"""The pixels that `separate` takes from touching objects are restored by postprocessing."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.targets.drawings import drawn

from unet_exp.postprocessing.components import Components
from unet_exp.postprocessing.watershed import Watershed
from unet_exp.targets.foreground import Foreground

DRAWN = {
    "a straight contact": """
        ..........
        ..........
        ..111222..
        ..111222..
        ..111222..
        ..........
        ..........
        """,
    "three that meet": """
        1111112222
        1111112222
        1111112222
        1111112222
        3333333333
        3333333333
        3333333333
        """,
    "one around another": """
        111111111111
        111111111111
        111111111111
        111122221111
        111122221111
        111122221111
        111122221111
        111111111111
        111111111111
        111111111111
        """,
    "none that touch": """
        1111...2222
        1111...2222
        1..1...2222
        1111...2222
        ...........
        ...........
        ...........
        33333333333
        """,
}


def returned(labels: np.ndarray, postprocessing: Components | Watershed) -> np.ndarray:
    """Objects from perfect probabilities of the target."""
    inside = torch.from_numpy(Foreground().encode(labels).target).float()
    return postprocessing(torch.stack([1 - inside, inside])).numpy()


def assert_same_objects(found: np.ndarray, labels: np.ndarray) -> None:
    pairs = np.unique(np.stack([found.ravel(), labels.ravel()]), axis=1)
    assert pairs.shape[1] == len(np.unique(labels)) == len(np.unique(found)), found


@pytest.mark.parametrize("name", DRAWN)
@pytest.mark.parametrize("kind", [Components, Watershed])
def test_drawn_labels_come_back(name: str, kind: type[Components] | type[Watershed]) -> None:
    labels = drawn(DRAWN[name])
    found = returned(labels, kind(grow=Foreground().gap, fill_holes=False))
    assert_same_objects(found, labels)


def test_a_diagonal_contact_comes_back_but_for_its_ends() -> None:
    labels = np.where(np.tri(20, 20, dtype=bool), 1, 2).astype(np.int32)
    found = returned(labels, Components(grow=1))
    inner = slice(3, -3), slice(3, -3)
    assert_same_objects(found[inner], labels[inner])


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=40)
def test_bricks_come_back(seed: int) -> None:
    """Rectangles of 3 pixels and more that fill the image, like bricks in a wall."""
    random = np.random.default_rng(seed)
    wall, number = np.zeros((0, 40), np.int32), 0
    for height in random.integers(3, 9, 5):
        ends = np.append(np.cumsum(random.integers(3, 9, 12)), 40)
        ends = np.append(ends[ends <= 37], 40)
        bricks = number + np.searchsorted(ends, np.arange(40), "right") + 1
        wall = np.concatenate([wall, np.tile(bricks.astype(np.int32), (height, 1))])
        number += len(ends)
    assert_same_objects(returned(wall, Components(grow=Foreground().gap)), wall)


def test_without_separation_nothing_is_given_back() -> None:
    assert (Foreground().gap, Foreground(separation=False).gap) == (1, 0)
