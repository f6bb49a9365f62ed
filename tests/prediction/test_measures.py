"""Measures equal those of scikit-image, also for large images."""

import numpy as np
import pytest
from skimage.measure import regionprops_table

from unet_exp.prediction import measures
from unet_exp.prediction.measures import PixelSize, measure, numbered

RANDOM = np.random.default_rng(0)
#: Discs, a line, a single pixel and an object of two parts; 4 is not used.
LABELS = np.zeros((50, 70), np.uint32)
Y, X = np.mgrid[:50, :70]
LABELS[(Y - 20) ** 2 + (X - 30) ** 2 < 144] = 1
LABELS[(Y - 40) ** 2 + 4 * (X - 60) ** 2 < 64] = 2
LABELS[3, 5:25] = 3
LABELS[48, 1] = 5
LABELS[10:14, 60:64] = LABELS[14:18, 64:68] = 6
IMAGE = RANDOM.integers(-500, 60_000, (2, 50, 70)).astype(np.int32)
PROPERTIES = (
    "label", "area", "bbox", "centroid", "eccentricity", "intensity_mean", "intensity_max",
)  # fmt: skip


@pytest.mark.parametrize("block", [(1000, 1000), (7, 16)])
def test_measures_are_those_of_scikit_image(
    monkeypatch: pytest.MonkeyPatch, block: tuple[int, int]
) -> None:
    monkeypatch.setattr(measures, "ROWS", block[0])
    monkeypatch.setattr(measures, "COLUMNS", block[1])
    expected = regionprops_table(
        LABELS.astype(np.int64), np.moveaxis(IMAGE, 0, -1), properties=PROPERTIES
    )
    columns = measure(LABELS, IMAGE).columns()
    names = {
        "label": "label", "area_px": "area", "top_px": "bbox-0", "left_px": "bbox-1",
        "bottom_px": "bbox-2", "right_px": "bbox-3", "centroid_y_px": "centroid-0",
        "centroid_x_px": "centroid-1", "eccentricity": "eccentricity",
        "mean_0": "intensity_mean-0", "mean_1": "intensity_mean-1",
        "max_0": "intensity_max-0", "max_1": "intensity_max-1",
    }  # fmt: skip
    assert set(columns) == set(names)
    for name, theirs in names.items():
        np.testing.assert_allclose(columns[name], expected[theirs], rtol=1e-9, atol=1e-7)


def test_far_from_the_origin_an_ellipse_stays_the_same() -> None:
    far = np.zeros((1, 100_000), np.uint8)
    labels = np.pad(LABELS == 1, ((0, 0), (99_930, 0))).astype(np.uint32)
    image = np.broadcast_to(far[:, None], (1, 50, 100_000))
    near = measure((LABELS == 1).astype(np.uint32), IMAGE).eccentricity
    np.testing.assert_allclose(measure(labels, image).eccentricity, near, atol=1e-3)


def test_a_block_takes_no_more_memory_for_large_numbers() -> None:
    labels = np.array([[10**9, 10**9 + 2, 0]], np.uint32)
    found, places = numbered(labels[labels > 0].astype(np.int64))
    assert found.tolist() == [10**9, 10**9 + 2]
    assert places.tolist() == [0, 1]


def test_room_for_objects_is_rarely_extended(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    extended = measures.extended
    monkeypatch.setattr(measures, "extended", lambda *a: calls.append(a[1]) or extended(*a))
    monkeypatch.setattr(measures, "ROWS", 1)
    labels = np.arange(1, 1001, dtype=np.uint32)[:, None]
    found = measure(labels, np.ones((1, 1000, 1)))
    assert found.label.tolist() == labels[:, 0].tolist()
    assert len(calls) < 70


def test_no_objects_give_empty_columns() -> None:
    columns = measure(np.zeros((5, 6), np.uint32), IMAGE[:, :5, :6]).columns(PixelSize(1, 1, "um"))
    assert {"label", "area_px", "area_um2", "mean_1"} < set(columns)
    assert all(len(values) == 0 for values in columns.values())


def test_a_unit_scales_rows_and_columns() -> None:
    columns = measure(LABELS, IMAGE).columns(PixelSize(0.5, 2.0, "um"))
    # The line of 20 pixels in row 3.
    line = {name: values[2] for name, values in columns.items()}
    assert (line["area_um2"], line["centroid_y_um"], line["centroid_x_um"]) == (20, 1.5, 29)
    box = [line[f"{side}_um"] for side in ("top", "left", "bottom", "right")]
    assert box == [1.5, 10, 2, 50]
