import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from unet_exp.augmentations.random_tile import RandomTile
from unet_exp.augmentations.tiles import Warp, Window

OFF = {"rotation": 0.0, "flip": False, "elastic_std": 0.0}


def places(height: int, width: int) -> np.ndarray:
    """An image that shows where each pixel comes from: its row and its column."""
    return np.stack(np.mgrid[:height, :width], -1).astype(np.float32)


def cut(tiles: RandomTile, seed: int, **arrays: np.ndarray) -> dict[str, np.ndarray]:
    """The tile of an image (h, w, c), and of what else there is."""
    image = np.moveaxis(arrays["image"], -1, 0)
    tile = tiles.draw(*image.shape[1:], np.random.default_rng(seed))
    found = {"image": np.moveaxis(tiles.cut_image(image, tile), 0, -1)}
    if "mask" in arrays:
        found["mask"] = tiles.cut_target(arrays["mask"], tile)
    if "weights" in arrays:
        found["weights"] = tiles.cut_weights(arrays["weights"], tile)
    return found


@pytest.mark.parametrize(("size", "output"), [(20, 20), (28, 20)])
def test_with_everything_off_it_is_a_part_of_the_image(size: int, output: int) -> None:
    tiles, image = RandomTile(size, output, **OFF), places(60, 50)
    mask, weights = np.arange(3000).reshape(60, 50), image[..., 0] / 7
    for seed in range(20):
        shown = cut(tiles, seed, image=image, mask=mask, weights=weights)
        assert shown["image"].shape == (size, size, 2)
        margin = (size - output) // 2
        inner = shown["image"][margin : margin + output, margin : margin + output]
        top, left = inner[0, 0].astype(int)
        assert 0 <= top <= 60 - output
        assert 0 <= left <= 50 - output
        window = np.s_[top : top + output, left : left + output]
        np.testing.assert_array_equal(inner, image[window])
        np.testing.assert_array_equal(shown["mask"], mask[window])
        np.testing.assert_array_equal(shown["weights"], weights[window])


def test_every_place_is_drawn_equally_often() -> None:
    tiles, random = RandomTile(8, 4, **OFF), np.random.default_rng(0)
    drawn = [tiles.draw(6, 5, random) for _ in range(3000)]
    corners = [(s.top + 2, s.left + 2) for s in drawn if isinstance(s, Window)]
    found, counts = np.unique(corners, axis=0, return_counts=True)
    np.testing.assert_array_equal(found, [[t, left] for t in range(3) for left in range(2)])
    assert counts.min() > 400


def test_an_image_smaller_than_the_tile_is_in_its_middle() -> None:
    shown = cut(RandomTile(9, 7, **OFF), 0, image=places(3, 4))["image"]
    np.testing.assert_array_equal(shown[:, 4, 0], [1, 2, 1, 0, 1, 2, 1, 0, 1])
    np.testing.assert_array_equal(shown[4, :, 1], [3, 2, 1, 0, 1, 2, 3, 2, 1])


def test_flips_and_quarter_turns_are_the_eight_exact_ones() -> None:
    tiles = RandomTile(5, 5, rotation=0.0, flip=True, quarter_turns=True, elastic_std=0.0)
    image = np.random.default_rng(0).normal(size=(5, 5, 1)).astype(np.float32)
    mask = (image[..., 0] > 0).astype(np.int16)
    ways = {
        np.rot90(side, k).tobytes(): np.rot90(labels, k)
        for side, labels in ((image[..., 0], mask), (image[:, ::-1, 0], mask[:, ::-1]))
        for k in range(4)
    }
    seen = set()
    for seed in range(60):
        shown = cut(tiles, seed, image=image, mask=mask)
        way = np.ascontiguousarray(shown["image"][..., 0]).tobytes()
        np.testing.assert_array_equal(shown["mask"], ways[way])
        seen.add(way)
    assert len(seen) == 8


@pytest.mark.parametrize("seed", range(8))
def test_interpolated_quarter_turns_are_the_exact_ones(seed: int) -> None:
    turns = {"rotation": 0.0, "flip": True, "quarter_turns": True}
    image, mask = places(30, 31), np.arange(930).reshape(30, 31)
    exact = cut(RandomTile(12, 8, elastic_std=0.0, **turns), seed, image=image, mask=mask)
    warped = cut(RandomTile(12, 8, elastic_std=1e-9, **turns), seed, image=image, mask=mask)
    np.testing.assert_allclose(warped["image"], exact["image"], atol=2e-3)
    np.testing.assert_array_equal(warped["mask"], exact["mask"])


@pytest.mark.parametrize(("size", "output"), [(64, 64), (92, 52)])
@pytest.mark.parametrize("seed", range(6))
def test_labels_weights_and_image_stay_together(size: int, output: int, seed: int) -> None:
    height, width = 300, 280
    image = places(height, width)
    labels = np.random.default_rng(0).integers(0, 9, (height, width)).astype(np.int16)
    weights = (0.5 * image[..., 0] + 0.25 * image[..., 1]).astype(np.float32)
    tiles = RandomTile(size, output, scale=1.3, interpolation="linear")
    shown = cut(tiles, seed, image=image, mask=labels, weights=weights)
    margin = (size - output) // 2
    rows, columns = np.moveaxis(shown["image"], -1, 0)[:, margin : margin + output][
        ..., margin : margin + output
    ]
    # Mirroring the coordinates themselves blunts them at the ends of the image.
    inside = (rows > 2) & (rows < height - 3) & (columns > 2) & (columns < width - 3)
    sure = inside & (np.abs(rows % 1 - 0.5) > 0.05) & (np.abs(columns % 1 - 0.5) > 0.05)
    assert sure.mean() > 0.3
    there = labels[np.rint(rows[sure]).astype(int), np.rint(columns[sure]).astype(int)]
    np.testing.assert_array_equal(shown["mask"][sure], there)
    expected = 0.5 * rows + 0.25 * columns
    np.testing.assert_allclose(shown["weights"][inside], expected[inside], atol=0.05)


def test_displacements_have_the_stated_standard_deviation() -> None:
    # The tile is the image, so that its place is known.
    tiles, random = RandomTile(101, 101, rotation=0.0, flip=False), np.random.default_rng(0)
    position = np.arange(101)
    at_control_points = []
    for _ in range(600):
        tile = tiles.draw(101, 101, random)
        assert isinstance(tile, Warp)
        assert isinstance(tile.rows, slice)
        assert isinstance(tile.columns, slice)
        rows, columns = tile.coordinates
        at_control_points += [
            (rows + tile.rows.start - position[:, None])[::50, ::50].reshape(-1),
            (columns + tile.columns.start - position)[::50, ::50].reshape(-1),
        ]
    np.testing.assert_allclose(np.std(at_control_points, axis=0), 10, rtol=0.07)
    correlation = np.corrcoef(np.transpose(at_control_points))
    np.testing.assert_allclose(correlation, np.eye(9), atol=0.15)


@pytest.mark.parametrize("flip", [False, True])
def test_rotation_keeps_distances(flip: bool) -> None:
    tiles, random = (
        RandomTile(31, 31, rotation=180.0, flip=flip, elastic_std=0.0),
        np.random.default_rng(0),
    )
    angles, mirrored = [], []
    for _ in range(300):
        tile = tiles.draw(200, 200, random)
        assert isinstance(tile, Warp)
        down = tile.coordinates[:, 1, 0] - tile.coordinates[:, 0, 0]
        right = tile.coordinates[:, 0, 1] - tile.coordinates[:, 0, 0]
        np.testing.assert_allclose([down @ down, right @ right, down @ right], [1, 1, 0], atol=1e-3)
        angles.append(np.degrees(np.arctan2(-down[1], down[0])))
        mirrored.append(np.linalg.det([down, right]) < 0)
    assert np.histogram(angles, bins=6, range=(-180, 180))[0].min() > 25
    assert np.mean(mirrored) == pytest.approx(0.5 if flip else 0, abs=0.1)


def test_scale_is_between_its_limits() -> None:
    tiles, random = (
        RandomTile(31, 31, rotation=0.0, flip=False, elastic_std=0.0, scale=1.5),
        np.random.default_rng(0),
    )
    drawn = [tiles.draw(99, 99, random) for _ in range(300)]
    steps = [float(np.diff(s.coordinates[0, :2, 0])[0]) for s in drawn if isinstance(s, Warp)]
    assert 1 / 1.5 - 1e-3 <= min(steps) < 0.7
    assert 1.45 < max(steps) <= 1.5 + 1e-3
    assert np.median(steps) == pytest.approx(1, abs=0.07)


def test_a_memory_mapped_image_is_read_where_it_is_seen(tmp_path: Path) -> None:
    # More rows than OpenCV takes; on disk only the written part takes room.
    image = np.memmap(tmp_path / "image", np.float32, "w+", shape=(6, 33_000, 2_000))
    mask = np.memmap(tmp_path / "mask", np.uint8, "w+", shape=(33_000, 2_000))
    tiles, random = RandomTile(64, 64), np.random.default_rng(0)
    tracemalloc.start()
    try:
        tile = tiles.draw(33_000, 2_000, random)
        shown = tiles.cut_image(image, tile)
        tiles.cut_target(mask, tile)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()
    assert shown.shape == (6, 64, 64)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": 9, "output_size": 6}, "tile of 9 pixels cannot have an output of 6"),
        ({"size": 6, "output_size": 8}, "tile of 6 pixels cannot have an output of 8"),
        ({"scale": 0.5}, "scale = 0.5"),
        ({"elastic_grid": 1}, "elastic_grid = 1"),
        ({"interpolation": "sinc"}, "'sinc' is unknown. Choose one of nearest, linear, cubic"),
    ],
)
def test_impossible_parameters_are_refused(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RandomTile(**{"size": 8, "output_size": 8} | arguments)
