import cv2
import numpy as np
import pytest

from unet_exp.augmentations.random_tile import RandomTile
from unet_exp.augmentations.tiles import INTERPOLATIONS, Warp, Window, directions, mirrored_part
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
def test_the_image_is_mirrored_any_number_of_times(
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
def test_a_part_of_the_image_gives_the_same_tile_as_the_whole(
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


def compass(height: int, width: int, north: tuple[float, float]) -> np.ndarray:
    """Unit vectors (down, right) that point to a place."""
    down, right = np.indices((height, width), np.float32) - np.float32(north)[:, None, None]
    return -np.stack([down, right]) / np.maximum(np.hypot(down, right), 1e-6)


def seen(tile: Window | Warp, image: np.ndarray) -> np.ndarray:
    """The vectors of a tile, pixel by pixel by matrix."""
    vectors = tile.cut(image, "nearest")
    matrices = directions(tile, image.shape[-2:])
    turned = np.einsum("ijhw,jhw->ihw", matrices, vectors)
    return turned / np.maximum(np.hypot(*turned), 1e-6)


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("flip", [False, True])
def test_directions_turn_with_a_window(turns: int, flip: bool) -> None:
    place = np.zeros((30, 40), np.float32)
    place[14, 17] = 1
    tile = Window(8, 9, 16, turns, flip)
    where = np.argwhere(tile.cut(place, "nearest"))[0]
    found = seen(tile, compass(30, 40, (14, 17)))
    np.testing.assert_allclose(found, compass(16, 16, tuple(where)), atol=1e-5)


@pytest.mark.parametrize("seed", range(6))
def test_directions_turn_with_rotation_and_scale(seed: int) -> None:
    tiles = RandomTile(24, 24, elastic_std=0, scale=1.4)
    tile = tiles.draw(90, 90, np.random.default_rng(seed))
    assert isinstance(tile, Warp)
    rows, columns = (tile.cut(ramp, "linear") for ramp in np.indices((90, 90), np.float32))
    aim = (float(rows[11, 12]), float(columns[11, 12]))  # a place of the image in the tile
    found = seen(tile, compass(90, 90, aim))
    expected = compass(24, 24, (11, 12))
    far = np.hypot(*(np.indices((24, 24)) - np.array([11, 12])[:, None, None])) > 5
    inside = np.zeros_like(far)
    inside[4:20, 4:20] = True
    cosine = (found * expected).sum(0)[far & inside]
    # The vectors are those of the nearest pixel, at most 0.7 pixels away.
    assert np.nanmin(cosine) > np.cos(0.25)


def test_directions_are_mirrored_with_the_image() -> None:
    downwards = np.stack([np.ones((6, 8), np.float32), np.zeros((6, 8), np.float32)])
    found = seen(Window(-3, 2, 6), downwards)
    # Above the first row of the image the same rows come again, upside down.
    assert (found[0, :2] == -1).all()
    assert np.isnan(found[:, 3]).all()
    assert (found[0, 4:] == 1).all()
    elastic = RandomTile(40, 40, rotation=5, flip=False, elastic_std=0.3)
    tile = elastic.draw(12, 40, np.random.default_rng(0))
    found = seen(tile, np.stack([np.ones((12, 40), np.float32), np.zeros((12, 40), np.float32)]))
    rows = tile.cut(np.indices((12, 40), np.float32)[0], "linear")
    rising = np.gradient(rows)[0] > 0.8
    falling = np.gradient(rows)[0] < -0.8
    assert rising.sum() > 300
    assert falling.sum() > 300
    assert np.nanmin(found[0][rising]) > 0.9
    assert np.nanmax(found[0][falling]) < -0.9
