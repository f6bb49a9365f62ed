import cv2
import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from unet_exp.metrics.border_thinning import label_foreground


def test_a_thick_membrane_shrinks_to_a_line(draw) -> None:
    foreground = draw("11...111 11...111 .....111 11...111 11...111 11...111") > 0
    expected = draw("111.2222 111.2222 ....2222 333.2222 333.2222 333.2222")
    flooded = label_foreground(foreground)
    # Where the lines meet is a matter of pixels; what they separate is not.
    assert (flooded[foreground] == expected[foreground]).all()
    assert (flooded == 0).sum() <= 9
    assert torch.equal(flooded[:, 4:], expected[:, 4:].int())


def test_diagonal_neighbours_are_two_regions(draw) -> None:
    assert label_foreground(draw("1. .1") > 0, thin_borders=False).tolist() == [[1, 0], [0, 2]]


def test_nothing_and_everything() -> None:
    nothing = torch.zeros(5, 6, dtype=torch.bool)
    assert label_foreground(nothing).unique().tolist() == [0]
    assert label_foreground(~nothing).unique().tolist() == [1]


def test_the_outermost_pixels_are_flooded_too(draw) -> None:
    assert (label_foreground(draw("... .1. ...") > 0) == 1).all()


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.05, 0.6))
def test_flooding_keeps_regions_and_leaves_thin_lines(seed: int, share: float) -> None:
    smooth = cv2.GaussianBlur(np.random.default_rng(seed).random((48, 40)), (0, 0), 1.5)
    foreground = torch.from_numpy(smooth > np.quantile(smooth, 1 - share))
    before, after = label_foreground(foreground, thin_borders=False), label_foreground(foreground)
    assert torch.equal(before[foreground], after[foreground])
    for a, b in ((after[1:], after[:-1]), (after[:, 1:], after[:, :-1])):
        assert not ((a != b) & (a > 0) & (b > 0)).any(), "regions touch without a line"
    line = (after == 0).numpy().astype(np.uint8)
    inside = cv2.erode(line, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT)
    assert inside.sum() == 0, "a line is three pixels wide"
