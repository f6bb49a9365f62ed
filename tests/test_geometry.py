import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from unet_exp.geometry import centre_crop, mirror_indices, mirror_pad, mirror_window, plan_tiles

sides = st.integers(1, 9)
pads = st.integers(0, 30)


@given(size=sides, before=pads, after=pads)
def test_mirror_indices_are_numpys_reflection(size: int, before: int, after: int) -> None:
    expected = np.pad(np.arange(size), (before, after), mode="reflect")
    assert mirror_indices(-before, size + after, size).tolist() == expected.tolist()


@pytest.mark.parametrize("size", [0, -1])
def test_an_empty_axis_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match=f"axis of {size} pixels"):
        mirror_indices(0, 3, size)


@given(shape=st.tuples(sides, sides), top=pads, bottom=pads, left=pads, right=pads)
def test_mirror_pad_of_arrays_and_tensors(
    shape: tuple[int, int], top: int, bottom: int, left: int, right: int
) -> None:
    image = np.arange(2 * shape[0] * shape[1], dtype=np.float32).reshape(2, *shape)
    expected = np.pad(image, ((0, 0), (top, bottom), (left, right)), mode="reflect")
    np.testing.assert_array_equal(mirror_pad(image, top, bottom, left, right), expected)
    tensor = mirror_pad(torch.from_numpy(image), top, bottom, left, right)
    np.testing.assert_array_equal(tensor.numpy(), expected)


@given(
    shape=st.tuples(sides, sides),
    top=st.integers(-30, 30),
    left=st.integers(-30, 30),
    height=sides,
    width=sides,
)
def test_a_window_shows_what_padding_shows(
    shape: tuple[int, int], top: int, left: int, height: int, width: int
) -> None:
    image = np.arange(shape[0] * shape[1]).reshape(shape)
    padded = np.pad(image, 40, mode="reflect")
    expected = padded[40 + top : 40 + top + height, 40 + left : 40 + left + width]
    rows, columns = (top, top + height), (left, left + width)
    np.testing.assert_array_equal(mirror_window(image, rows, columns), expected)
    tensor = mirror_window(torch.from_numpy(image)[None], rows, columns)
    np.testing.assert_array_equal(tensor[0].numpy(), expected)


def test_a_window_inside_is_a_view() -> None:
    image = np.zeros((3, 8, 8))
    assert np.shares_memory(mirror_window(image, (2, 8), (0, 5)), image)


def test_centre_crop() -> None:
    image = torch.arange(30).reshape(1, 5, 6)
    assert centre_crop(image, 1, 2).tolist() == [[[14, 15]]]
    assert centre_crop(image, 5, 6).shape == (1, 5, 6)
    assert centre_crop(np.arange(4)[None], 1, 1).tolist() == [[1]]
    with pytest.raises(ValueError, match="crop of 6 x 2 pixels is larger than its image of 5 x 6"):
        centre_crop(image, 6, 2)


@given(
    size=st.integers(1, 3000),
    room=st.integers(0, 500),
    depth=st.integers(1, 6),
    padded=st.booleans(),
)
def test_tiles_cover_every_pixel_on_the_grid(
    size: int, room: int, depth: int, padded: bool
) -> None:
    step = 2**depth
    lost = 0 if padded else 4
    halo = 6 * step if padded else 6 * step - 4

    def fitting_sizes(side: int) -> tuple[int | None, int]:
        return (side + lost) // step * step - lost, -(-(side + lost) // step) * step - lost

    limit = fitting_sizes(2 * halo + step)[1] + room
    plan = plan_tiles(size, limit, step, halo, fitting_sizes)

    assert plan.side <= limit
    assert plan.side == fitting_sizes(plan.side)[0], "the side fits the network"
    assert plan.core == plan.side - 2 * halo
    assert plan.starts[0] == 0
    assert all(start % step == 0 for start in plan.starts)
    assert all(b - a <= plan.core for a, b in zip(plan.starts, plan.starts[1:], strict=False))
    assert plan.starts[-1] < size <= plan.starts[-1] + plan.core
    if len(plan.starts) == 1:
        assert plan.side == fitting_sizes(size + 2 * halo)[1], "no larger than the image needs"
    else:
        most = (fitting_sizes(limit)[0] or 0) - 2 * halo
        fewer = len(plan.starts) - 2
        assert fewer * (most // step * step) + most < size, "one tile less would not do"


def test_a_tile_without_room_for_its_context_is_refused() -> None:
    def multiples(side: int) -> tuple[int | None, int]:
        return side // 16 * 16 or None, -(-side // 16) * 16

    with pytest.raises(ValueError, match=r"tile of 200 pixels is too small .* take 208 or more"):
        plan_tiles(512, limit=200, step=16, halo=96, fitting_sizes=multiples)
