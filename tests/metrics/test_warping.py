import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import label

from unet_exp.metrics.simple_points import SIMPLE, neighbourhoods
from unet_exp.metrics.warping import warp


def blobs(seed: int, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """A random truth, and a noisy map of it whose values repeat, as those of 8 bits do."""
    rng = np.random.default_rng(seed)
    truth = cv2.GaussianBlur(rng.normal(size=(height, width)), (0, 0), 1.5) > 0
    noisy = truth * 0.6 + 0.2 + 0.3 * rng.normal(size=truth.shape)
    return truth, (np.clip(noisy, 0, 1) * 8).round().astype(np.float32) / 8


def round_by_round(truth: np.ndarray, values: np.ndarray, threshold: float) -> np.ndarray:
    """The article's procedure, word by word: rounds over all wrong pixels until nothing changes."""
    warped, proposal, before = truth.copy(), values > threshold, None
    while (warped != proposal).sum() != before:
        before = (warped != proposal).sum()
        wrong = [(x, y) for y, x in np.argwhere(warped != proposal)]
        wrong = sorted(wrong)  # column by column
        for x, y in sorted(wrong, key=lambda p: -abs(float(values[p[1], p[0]]) - threshold)):
            if SIMPLE[neighbourhoods(warped)[y, x]]:
                warped[y, x] ^= True
    return warped


sizes = st.tuples(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 12))


@settings(deadline=None, max_examples=60)
@given(sizes, st.sampled_from([0.0, 0.1, 0.5, 0.75, 0.9]))
def test_equals_the_procedure_word_by_word(size: tuple[int, int, int], threshold: float) -> None:
    truth, values = blobs(*size)
    assert (warp(truth, values, threshold) == round_by_round(truth, values, threshold)).all()


@settings(deadline=None, max_examples=60)
@given(sizes)
def test_topology_is_kept_and_no_wrong_pixel_is_simple(size: tuple[int, int, int]) -> None:
    truth, values = blobs(*size)
    warped, proposal = warp(truth, values), values > 0.5
    for image, connectivity in ((True, 1), (False, 2)):
        before, after = (
            label(np.pad(i, 1) == image, connectivity=connectivity).max() for i in (truth, warped)
        )
        assert before == after
    left = warped != proposal
    assert not np.array(SIMPLE)[neighbourhoods(warped)][left].any()
    assert (warped == truth)[truth == proposal].all()  # what was right stays


@settings(deadline=None, max_examples=30)
@given(sizes)
def test_what_may_not_move_stays(size: tuple[int, int, int]) -> None:
    truth, values = blobs(*size)
    movable = np.random.default_rng(size[0]).random(truth.shape) < 0.7
    assert (warp(truth, values, movable=movable) == truth)[~movable].all()
    assert (warp(truth, values, movable=np.ones_like(truth)) == warp(truth, values)).all()


def test_the_most_certain_pixel_goes_first() -> None:
    # Either end of the bar may go, but not both pixels: one must remain.
    truth = np.array([[1, 1]], bool)
    assert warp(truth, np.float32([[0.1, 0.2]])).tolist() == [[False, True]]
    assert warp(truth, np.float32([[0.2, 0.1]])).tolist() == [[True, False]]
    assert warp(truth, np.float32([[0.1, 0.1]])).tolist() == [[False, True]]
