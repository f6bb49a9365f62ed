import math

import numpy as np
import pytest

from unet_exp.evaluation.tables import show_images, show_summary
from unet_exp.metrics.curves import PrecisionRecall
from unet_exp.runs.scoring import Evaluation

NAMES = ("average_precision", "dice", "object_f1", "pixel_error", "seg", "v_info", "warping_error")


def evaluation(images: int) -> Evaluation:
    """Image i scores i / 1000, but for the first, which has no object to score."""
    values = [math.nan if i == 0 else i / 1000 for i in range(images)]
    rows = [
        {"name": f"image_{i:03d}", **dict.fromkeys(NAMES, value)} for i, value in enumerate(values)
    ]
    curve = PrecisionRecall(np.zeros(1), np.ones(1), np.ones(1))
    details = {"seg": {"objects": 12.0, "missed": math.nan}}
    overall = dict.fromkeys(NAMES, 0.5)
    return Evaluation(rows, overall, details, {}, curve, dict.fromkeys(NAMES, True))


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_no_number_is_cut_on_a_narrow_screen(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    show_images(evaluation(3), "data, validation", "seg")
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= width
    assert "…" not in out
    for value in ("0.0010", "0.0020", "0.5000"):
        assert out.count(value) == len(NAMES)
    assert ("continued" in out) == (width < 80)


def test_seven_scores_of_images_with_long_names_fit_80_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    given = evaluation(3)
    for row in given.rows:
        row["name"] = f"a_rather_long_name_of_an_{row['name']}"
    show_images(given, "data, validation", "seg")
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    assert "continued" not in out
    assert "…" not in out
    assert out.count("0.5000") == len(NAMES)
    whole = "".join(line.split()[0] for line in out.splitlines() if line.strip())
    assert "a_rather_long_name_of_an_image_002" in whole


def test_what_was_not_measured_is_a_dash(capsys: pytest.CaptureFixture[str]) -> None:
    show_images(evaluation(2), "data, validation", "seg")
    show_summary(evaluation(2))
    out = capsys.readouterr().out
    assert "nan" not in out
    assert "objects 12, missed -" in " ".join(out.split())


def test_a_long_list_is_shortened_to_worst_and_best(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    show_images(evaluation(41), "data, validation", "seg")
    out = capsys.readouterr().out
    shown = [word for word in out.split() if word.startswith("image_")]
    assert shown == [f"image_{i:03d}" for i in [*range(1, 16), *range(26, 41)]]
    assert "The 15 worst and best by seg; per_image.csv holds all 41." in out
    show_images(evaluation(40), "data, validation", "seg")
    assert capsys.readouterr().out.count("image_") == 40
