import cv2
import numpy as np
import pytest

from unet_exp.augmentations.tiles import INTERPOLATIONS, Warp, Window, mirrored_part
from unet_exp.geometry import mirror_indices


def whole_pixels(size: int) -> np.ndarray:
    """Coordinates of a tile of whole pixels about a centre between four of them."""
    position = np.arange(size, dtype=np.float32) - (size - 1) / 2
    return np.stack(np.meshgrid(position, position, indexing="ij"))


def warp_around(
    centre: tuple[float, float], coordinates: np.ndarray, shape: tuple[int, int]
) -> Warp:
    """Place coordinates relative to a centre."""
    down, across = np.abs(coordinates).max((1, 2)).tolist()
    return Warp.around(
        centre,
        (down, across),
        shape,
        lambda about: coordinates + np.array(about, np.float32)[:, None, None],
    )


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
@pytest.mark.parametrize("shape", [(40, 50), (5, 3), (1, 7), (1, 1)])
@pytest.mark.parametrize("centre", [(20.5, 20.5), (0.5, 2.5), (-30.5, 90.5)])
def test_goes_on_mirrored_any_number_of_times(
    centre: tuple[float, float], shape: tuple[int, int], interpolation: str
) -> None:
    image = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    warp = warp_around(centre, whole_pixels(32), shape)
    first = [int(c - 15.5) for c in centre]
    rows, columns = (mirror_indices(f, f + 32, s) for f, s in zip(first, shape, strict=True))
    np.testing.assert_allclose(warp.cut(image, interpolation), image[rows][:, columns], atol=1e-6)
    window = Window(first[0], first[1], 32)
    np.testing.assert_array_equal(window.cut(image, interpolation), image[rows][:, columns])


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
@pytest.mark.parametrize("centre", [(100.25, 90.0), (3.0, 12.0), (190.0, 180.0)])
def test_a_part_of_the_image_does_for_the_whole(
    centre: tuple[float, float], interpolation: str
) -> None:
    random = np.random.default_rng(0)
    image = cv2.GaussianBlur(random.normal(size=(200, 210)).astype(np.float32), (0, 0), 2)
    turn = np.array([[0.8, 0.6], [-0.6, 0.8]], np.float32)
    coordinates = np.einsum("ab,bij->aij", turn, whole_pixels(40)) + 0.1
    warp = warp_around(centre, coordinates, (200, 210))
    rows, columns = (coordinates[i] + np.float32(centre[i]) for i in (0, 1))
    expected = cv2.remap(
        image, columns, rows, INTERPOLATIONS[interpolation], borderMode=cv2.BORDER_REFLECT_101
    )
    # OpenCV 4 rounds coordinates to 1/32 of a pixel; from another origin it rounds otherwise.
    np.testing.assert_allclose(warp.cut(image, interpolation), expected, atol=2e-2)


@pytest.mark.parametrize(
    "dtype", [np.uint8, np.int16, np.uint16, np.int32, np.int64, np.float32, np.float64]
)
def test_every_dtype_and_number_of_channels(dtype: type) -> None:
    image = (100 * np.random.default_rng(0).random((2, 3, 30, 30))).astype(dtype)
    shown = warp_around((14.5, 14.5), whole_pixels(20), (30, 30)).cut(image, "nearest")
    assert shown.dtype == dtype
    np.testing.assert_allclose(shown, image[..., 5:25, 5:25], rtol=1e-6)


def test_the_margin_is_left_out() -> None:
    image = np.random.default_rng(0).normal(size=(30, 40)).astype(np.float32)
    warp = warp_around((14.5, 19.5), whole_pixels(20), (30, 40))
    inner = warp.cut(image, "linear", margin=6)
    np.testing.assert_array_equal(inner, warp.cut(image, "linear")[6:-6, 6:-6])
    window = Window(5, 10, 20, turns=1, flip=True)
    inner = window.cut(image, "linear", margin=6)
    np.testing.assert_array_equal(inner, window.cut(image, "linear")[6:-6, 6:-6])


def test_quarter_turns_and_mirroring() -> None:
    image = np.arange(12).reshape(3, 4)
    shown = Window(0, 1, 3, turns=1, flip=True).cut(image, "cubic")
    np.testing.assert_array_equal(shown, [[11, 7, 3], [10, 6, 2], [9, 5, 1]])


def test_a_window_is_a_copy() -> None:
    image = np.zeros((4, 4))
    Window(0, 0, 2).cut(image, "cubic")[:] = 1
    assert not image.any()


def test_places_in_a_large_image_are_exact() -> None:
    # float32 alone knows places beyond 2**17 only to 1/64 of a pixel.
    image = np.tile(np.arange(100, dtype=np.float32), (1, 2000))
    coordinates = whole_pixels(20) + np.float32(0.25)
    warp = warp_around((0.0, 150_029.5), coordinates, image.shape)
    np.testing.assert_allclose(warp.cut(image, "linear")[3], np.arange(20) + 20.25, atol=1e-4)


def test_the_part_mirrored_once_is_the_axis_mirrored() -> None:
    size = 9
    for low in range(-25, 25):
        for high in range(low, low + 30):
            part, first = mirrored_part(low, high, size)
            shown = np.arange(size)[part]
            again = mirror_indices(low - first, high + 1 - first, len(shown))
            np.testing.assert_array_equal(shown[again], mirror_indices(low, high + 1, size))
            assert low - first > -len(shown)
            assert high - first < 2 * len(shown) - 1
