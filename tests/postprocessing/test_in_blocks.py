"""Block by block gives the same labels, numbers and order as all at once."""

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from unet_exp.postprocessing.components import Components
from unet_exp.postprocessing.flows import FollowedFlows
from unet_exp.postprocessing.none import ClassMap
from unet_exp.postprocessing.watershed import Watershed


def two_classes(foreground: np.ndarray) -> np.ndarray:
    foreground = foreground.astype(np.float32)
    return np.stack([1 - foreground, foreground])


def in_blocks(postprocessing: Any, foreground: np.ndarray, block: int) -> np.ndarray:
    out = np.full(foreground.shape, 77, np.uint32)
    count = postprocessing.in_blocks(two_classes(foreground), out, block)
    assert count == out.max()
    return out


def assert_equal_in_blocks(postprocessing: Any, foreground: np.ndarray, *blocks: int) -> None:
    whole = postprocessing(torch.from_numpy(two_classes(foreground))).numpy()
    for block in blocks:
        assert (in_blocks(postprocessing, foreground, block) == whole).all(), (
            postprocessing,
            block,
        )


@st.composite
def foregrounds(draw: st.DrawFn) -> np.ndarray:
    """Specks, blobs, or blobs in few levels of probability, in images of any shape."""
    shape = draw(st.tuples(st.integers(1, 26), st.integers(1, 26)))
    image = np.random.default_rng(draw(st.integers(0, 2**32 - 1))).random(shape, np.float32)
    width = draw(st.sampled_from([1, 3, 5]))
    blurred = cv2.blur(image, (width, width))
    spread = (blurred - blurred.min()) / max(float(np.ptp(blurred)), 1e-6)
    levels = draw(st.sampled_from([0, 3, 10]))
    return np.round(spread * levels) / levels if levels else spread


BLOCKS = st.one_of(st.integers(3, 12), st.integers(13, 40))


@settings(max_examples=60, deadline=None)
@given(
    foregrounds(),
    BLOCKS,
    st.builds(
        Components,
        threshold=st.sampled_from([0.3, 0.5, 0.6]),
        min_size=st.integers(0, 12),
        fill_holes=st.booleans(),
        connectivity=st.sampled_from([1, 2]),
        grow=st.integers(0, 3),
    ),
)
def test_components(foreground: np.ndarray, block: int, components: Components) -> None:
    assert_equal_in_blocks(components, foreground, block)


@settings(max_examples=60, deadline=None)
@given(
    foregrounds(),
    BLOCKS,
    st.builds(
        Watershed,
        threshold=st.sampled_from([0.15, 0.3, 0.5]),
        seed_threshold=st.sampled_from([0.5, 0.7, 0.9]),
        contrast=st.sampled_from([0.0, 0.05, 0.2]),
        shape=st.sampled_from([0.0, 0.5]),
        smoothing=st.sampled_from([0.0, 1.0, 2.0]),
        min_size=st.integers(0, 8),
        fill_holes=st.booleans(),
        grow=st.integers(0, 2),
    ),
)
def test_watershed(foreground: np.ndarray, block: int, watershed: Watershed) -> None:
    assert_equal_in_blocks(watershed, foreground, block)


@settings(max_examples=40, deadline=None)
@given(foregrounds(), BLOCKS, st.sampled_from([0.2, 0.5, 0.7]), st.sampled_from([0.0, 0.5, 1.5]))
def test_watershed_over_a_height(
    foreground: np.ndarray, block: int, seed_threshold: float, smoothing: float
) -> None:
    height = cv2.blur(1 - foreground[::-1], (3, 3)).astype(np.float32)
    evidence = np.concatenate([two_classes(foreground), height[None]])
    watershed = Watershed(0.4, seed_threshold, grow=1, height=2, smoothing=smoothing)
    out = np.full(foreground.shape, 77, np.uint32)
    watershed.in_blocks(evidence, out, block)
    assert (out == watershed(torch.from_numpy(evidence)).numpy()).all()


@settings(max_examples=40, deadline=None)
@given(
    foregrounds(),
    BLOCKS,
    st.builds(
        FollowedFlows,
        threshold=st.sampled_from([0.3, 0.5]),
        flow_threshold=st.sampled_from([0.5, 4.0]),
        min_size=st.integers(0, 8),
        fill_holes=st.booleans(),
        steps=st.sampled_from([3, 20]),
    ),
)
def test_followed_flows(foreground: np.ndarray, block: int, flows: FollowedFlows) -> None:
    foreground = np.kron(foreground, np.ones((2, 2), np.float32))  # objects of many pixels
    uphill = np.stack([np.gradient(np.pad(foreground, 1), axis=k)[1:-1, 1:-1] for k in (0, 1)])
    evidence = np.concatenate([two_classes(foreground), (3 * uphill).clip(-0.7, 0.7)])
    evidence = evidence.astype(np.float32)
    out = np.full(foreground.shape, 77, np.uint32)
    count = flows.in_blocks(evidence, out, block)
    assert count == out.max()
    assert (out == flows(torch.from_numpy(evidence)).numpy()).all()


@settings(max_examples=20, deadline=None)
@given(foregrounds(), BLOCKS)
def test_class_map(foreground: np.ndarray, block: int) -> None:
    assert_equal_in_blocks(ClassMap(), foreground, block)


@settings(max_examples=40, deadline=None)
@given(foregrounds(), st.integers(2, 30), st.sampled_from([1, 2]))
def test_components_equal_scipys(foreground: np.ndarray, block: int, connectivity: int) -> None:
    holes = ndimage.generate_binary_structure(2, 3 - connectivity)
    filled = ndimage.binary_fill_holes(foreground > 0.5, holes)
    # scipy numbers in reading order too.
    expected, _ = ndimage.label(filled, ndimage.generate_binary_structure(2, connectivity))
    found = in_blocks(Components(connectivity=connectivity), foreground, block)
    assert (found == expected).all()


def spiral(side: int) -> np.ndarray:
    """A line of one pixel that winds inwards with a gap of one."""
    mask = np.zeros((side, side), bool)
    y, x, dy, dx, left = 0, 0, 0, 1, side - 1
    mask[0, 0] = True
    for turn in range(2 * side):
        for _ in range(left):
            y, x = y + dy, x + dx
            mask[y, x] = True
        dy, dx = dx, -dy
        if turn % 2 == 0 and turn:
            left -= 2
    return mask


def comb(side: int) -> np.ndarray:
    """Teeth that only the last row joins."""
    mask = np.zeros((side, side), bool)
    mask[:, ::2] = mask[-1] = True
    return mask


def rings(side: int) -> np.ndarray:
    """Squares within squares."""
    distance = np.abs(np.arange(side) - side // 2)
    return np.maximum.outer(distance, distance) % 2 == 0


@pytest.mark.parametrize("block", [1, 2, 3, 5, 12])
@pytest.mark.parametrize("pattern", [spiral, comb, lambda side: comb(side)[::-1].T])
def test_one_object_through_many_blocks(pattern, block: int) -> None:
    mask = pattern(13)
    for postprocessing in (Components(), Components(connectivity=2), Watershed()):
        assert (in_blocks(postprocessing, mask, block) == mask).all()


@pytest.mark.parametrize("block", [1, 2, 3, 4, 7, 12])
def test_nested_rings(block: int) -> None:
    mask = rings(13)
    assert (in_blocks(Components(), mask, block) == 1).all()
    for postprocessing in (Components(fill_holes=False), Watershed(fill_holes=False)):
        apart = in_blocks(postprocessing, mask, block)
        # From the outermost, which comes first in reading order, to the dot in the middle.
        assert apart[6].tolist() == [1, 0, 2, 0, 3, 0, 4, 0, 3, 0, 2, 0, 1]


@pytest.mark.parametrize("block", [1, 2, 3, 4])
def test_objects_that_touch_in_the_corner_of_four_blocks(block: int, draw) -> None:
    for drawing in ("11.. 11.. ..22 ..22", "..11 ..11 22.. 22.."):
        mask = draw(drawing) > 0
        assert (in_blocks(Components(), mask, block) == draw(drawing)).all()
        assert (in_blocks(Components(connectivity=2), mask, block) == mask).all()


@pytest.mark.parametrize("block", [1, 2, 3, 5])
def test_a_hole_that_opens_to_the_edge_blocks_away_is_none(block: int, draw) -> None:
    closed = draw("1111111 1.....1 1.111.1 1.1.1.1 1111111") > 0
    opened = closed.copy()
    opened[1, 6] = False
    assert (in_blocks(Components(), closed, block) == 1).all()
    expected = draw("1111111 1...... 1.111.1 1.111.1 1111111")
    assert (in_blocks(Components(), opened, block) == expected).all()


@pytest.mark.parametrize("block", [2, 3, 4, 9])
def test_nothing_and_everything(block: int) -> None:
    for postprocessing in (Components(grow=1), Watershed(grow=1), ClassMap()):
        assert (in_blocks(postprocessing, np.zeros((7, 9)), block) == 0).all()
        assert (in_blocks(postprocessing, np.ones((7, 9)), block) == 1).all()


@pytest.mark.parametrize("block", [1, 2, 3, 4])
def test_a_gap_across_blocks_is_closed(block: int, draw) -> None:
    mask = draw("11..22 11..22 11..22") > 0
    assert (in_blocks(Components(grow=1), mask, block) == draw("111222 111222 111222")).all()


@pytest.mark.parametrize("block", [2, 3, 8])
def test_numbers_follow_reading_order_not_blocks(block: int, draw) -> None:
    expected = draw("...1.2.. .3...... 4....5.6 ..7.....")
    assert (in_blocks(Components(), expected > 0, block) == expected).all()
    assert (in_blocks(Watershed(), expected > 0, block) == expected).all()


@pytest.mark.data
def test_on_cells_that_touch() -> None:
    root = os.environ.get("UNET_EXP_DATA")
    path = Path(root or "", "DIC-C2DH-HeLa/01_ST/SEG/man_seg002.tif")
    if not root or not path.exists():
        pytest.skip("the real images are not here")
    labels = tifffile.imread(path).astype(np.int32)
    edges = cv2.morphologyEx(labels.astype(np.float32), cv2.MORPH_GRADIENT, np.ones((5, 5)))
    inside = cv2.GaussianBlur(((labels > 0) & (edges == 0)).astype(np.float32), (0, 0), 3)
    noise = np.random.default_rng(0).normal(0, 0.03, labels.shape)
    foreground = np.clip(inside + noise, 0, 1)
    assert_equal_in_blocks(Components(min_size=50, grow=3), foreground, 100, 256)
    watershed = Watershed(0.3, 0.6, min_size=100, grow=2)
    assert_equal_in_blocks(watershed, foreground, 100, 256)
