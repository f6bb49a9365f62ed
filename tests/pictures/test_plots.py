import pytest

from unet_exp.pictures.page import finished
from unet_exp.pictures.plots import COLUMNS, Plots, quiet


@pytest.mark.parametrize("count", range(8))
def test_plots_fill_rows_of_three_and_stay_on_the_page(count: int) -> None:
    page = Plots(count, "title", 60, 250)
    boxes = set()
    for index in range(count):
        axes = page.plot(index, f"plot {index}", margin=10)
        quiet(axes, "step")
        box = axes.get_position()
        assert 0 < box.x0 < box.x1 < 1
        assert 0 < box.y0 < box.y1 < 1
        boxes.add((round(box.x0, 6), round(box.y0, 6)))
    assert len(boxes) == count
    assert len({x for x, _ in boxes}) == min(count, COLUMNS)
    drawn = finished(page.figure, None)
    for edge in (drawn[0], drawn[-1], drawn[:, 0], drawn[:, -1]):
        assert (edge == 255).all()


def test_a_page_without_plots_says_so() -> None:
    said = Plots(0, "title", nothing="No score.").figure.texts
    assert "No score." in [text.get_text() for text in said]
    assert "No score." not in [t.get_text() for t in Plots(1, "", nothing="No score.").figure.texts]
