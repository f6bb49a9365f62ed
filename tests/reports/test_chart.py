import pytest

from unet_exp.reports.chart import Axis, Chart, Series, axis_of


@pytest.mark.parametrize(
    ("name", "values", "domain"),
    [
        ("seg", [0.5, 0.505], (0.4525, 0.5525)),  # noise stays small
        ("seg", [0.99, 1.0], (0.9, 1.0)),
        ("seg", [0.0, 0.01], (0.0, 0.1)),
        ("seg", [0.0, 1.0], (0.0, 1.0)),
        ("loss", [0.5, 1.0], (0.0, 1.05)),
        ("lr", [0.0, 1e-4], (0.0, 1.05e-4)),
        ("count", [100.0, 200.0], (90.0, 210.0)),
    ],
)
def test_ranges_of_axes(name: str, values: list[float], domain: tuple[float, float]) -> None:
    assert axis_of(name, [values]).domain == pytest.approx(domain)


def test_a_loss_far_above_the_others_takes_a_log_scale() -> None:
    assert axis_of("loss", [[40.0, 1.0, 0.9]]) == Axis(kind="log")
    assert axis_of("loss", [[None, float("nan")]]) == Axis()


def test_the_table_has_the_numbers() -> None:
    one, two = Series("a", [1, 2], [0.5, None]), Series("b", [1, 2], [0.25, 0.125])
    chart = Chart("t", Axis("step"), Axis("seg"), [one, two])
    assert chart.head() == ["step", "a", "b"]
    assert list(chart.rows()) == [["1", "0.5", "0.25"], ["2", "-", "0.125"]]
    apart = Chart("t", Axis("step"), Axis("seg"), [one, Series("b", [7], [1.0])])
    assert apart.head() == ["", "step", "seg"]
    assert list(apart.rows())[-1] == ["b", "7", "1"]


def test_values_that_are_no_numbers_are_left_out() -> None:
    chart = Chart("t", Axis(), Axis(), [Series("", [1.0], [float("nan")])])
    assert chart.spec()["series"][0]["y"] == [None]
    assert Chart("t", Axis(), Axis(), [Series("", [1.0], [None])]).empty
