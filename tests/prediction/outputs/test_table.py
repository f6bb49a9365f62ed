"""The table of objects, as pandas reads it."""

from pathlib import Path

import numpy as np
import pytest
from tests.prediction.outputs.drawings import DRAWN, MICROSCOPE, segmented

from unet_exp.prediction.outputs.table import Table

pandas = pytest.importorskip("pandas")


def test_each_object_has_a_row_in_pixels_and_micrometres(tmp_path: Path) -> None:
    Table().write(tmp_path / "a.csv", segmented(DRAWN, tags=MICROSCOPE))
    table = pandas.read_csv(tmp_path / "a.csv").set_index("label")
    assert table["area_px"].to_dict() == {1: 8, 2: 4, 3: 2}
    # A pixel is 0.5 um high and 0.25 um wide.
    assert table["area_um2"].to_dict() == {1: 1.0, 2: 0.5, 3: 0.25}
    square = table.loc[2]
    assert (square["centroid_y_px"], square["centroid_x_px"]) == (0.5, 4.5)
    assert [square[f"{side}_px"] for side in ("top", "left", "bottom", "right")] == [0, 4, 2, 6]
    assert (square["mean_0"], square["max_0"], square["mean_1"], square["max_1"]) == (20, 20, 7, 7)


def test_objects_of_a_stack_say_their_page(tmp_path: Path) -> None:
    pages = [DRAWN, np.zeros_like(DRAWN), (DRAWN == 2).astype(np.uint32)]
    Table().write(tmp_path / "a.csv", segmented(*pages))
    table = pandas.read_csv(tmp_path / "a.csv")
    assert table[["t", "label", "area_px"]].to_numpy().tolist() == [
        [0, 1, 8], [0, 2, 4], [0, 3, 2], [2, 1, 4],
    ]  # fmt: skip
    Table().write(tmp_path / "b.csv", segmented(*pages, axes="Q"))
    assert pandas.read_csv(tmp_path / "b.csv")["page"].tolist() == [0, 0, 0, 2]


def test_an_image_without_objects_has_a_header_and_no_rows(tmp_path: Path) -> None:
    Table().write(tmp_path / "a.csv", segmented(np.zeros_like(DRAWN)))
    [header] = (tmp_path / "a.csv").read_text().splitlines()
    assert header.split(",")[:2] == ["label", "area_px"]
    assert header.split(",")[-1] == "max_1"
