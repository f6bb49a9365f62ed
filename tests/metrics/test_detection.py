import numpy as np

from unet_exp.metrics.contingency import contingency
from unet_exp.metrics.detection import finds, objects


def test_more_than_half_is_found_half_is_not(draw) -> None:
    table = contingency(draw("99.. 88.7"), draw("1112 3333"))
    found = table.truth[finds(table)], table.predicted[finds(table)]
    assert [column.tolist() for column in found] == [[1], [9]]


def test_background_is_no_object() -> None:
    assert objects(np.array([0, 0])) == 0
    assert objects(np.array([], int)) == 0
