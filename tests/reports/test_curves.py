from pathlib import Path
from typing import Any

import pytest

from unet_exp.records.run_folder import RunFolder
from unet_exp.reports.curves import thin_curves


def curves(folder: Path, **options: int) -> dict[str, Any]:
    return thin_curves(RunFolder(folder).read_metrics(), **options)


def test_each_quantity_over_steps_and_seconds(drawn: Path) -> None:
    found = curves(drawn / "1")
    assert found["steps"] == [10, 20, 30, 40]
    assert found["seconds"] == [1.5, 2.5, 3.5, 4.5]
    assert found["metrics"] == {
        "lr": [0.001] * 4,
        "val/loss": [1, 0.5, 0.33333, 0.25],
        "val/seg": [0.1875, 0.375, 0.5625, 0.75],
        "train/loss": [2, 1, 0.66667, 0.5],
    }


def test_a_long_curve_is_thinned_and_ends_where_it_ended(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text("step,val/seg\n" + "".join(f"{n},{n}\n" for n in range(1, 1000)))
    found = curves(tmp_path, most=100)
    assert found["steps"] == list(range(9, 1000, 10))
    assert found["metrics"]["val/seg"] == found["steps"]


def test_holes_and_columns_without_numbers(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text("step,val/seg,val/det\n1,nan,\n2,0.5,inf\n,0.75,\n3\n")
    assert curves(tmp_path) == {
        "steps": [1, 2, 3],
        "seconds": [None] * 3,
        "metrics": {"val/seg": [None, 0.5, None]},
    }


@pytest.mark.parametrize("content", [None, b"", b"step,val", b"\x00\xff\x00", b"\xff,\n\xff"])
def test_a_file_that_is_missing_or_broken_gives_no_curve(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "metrics.csv"
    if content is not None:
        path.write_bytes(content)
    assert curves(tmp_path) == {"steps": [], "seconds": [], "metrics": {}}
