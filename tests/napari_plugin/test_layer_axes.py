"""Which axes of a layer are pages and channels, and where results are placed."""

import numpy as np
import pytest

from unet_exp.napari_plugin.layer_axes import LayerAxes


@pytest.mark.parametrize(
    ("shape", "rgb", "channels", "letters"),
    [
        ((64, 80), False, 1, "YX"),
        ((9, 64, 80), False, 1, "QYX"),
        ((3, 9, 5, 5), False, 1, "QQYX"),
        ((64, 80, 3), True, 3, "YXC"),
        ((9, 64, 80, 4), True, 3, "QYXC"),
        ((9, 2, 64, 80), False, 2, "QCYX"),
        ((2, 9, 64, 80), False, 2, "CQYX"),
        ((2, 2, 2), False, 2, "CYX"),
    ],
)
def test_axes_follow_from_the_layer(
    shape: tuple[int, ...], rgb: bool, channels: int, letters: str
) -> None:
    assert LayerAxes.of(shape, rgb, channels).letters == letters


@pytest.mark.parametrize("shape", [(64, 80), (9, 64, 80), (2, 2, 64, 80)])
def test_channels_that_are_not_clear_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"takes\. Name all axes, such as TCYX\."):
        LayerAxes.of(shape, rgb=False, channels=2)
    assert LayerAxes.of((2, 2, 64, 80), rgb=False, channels=2, named="ctyx").letters == "CTYX"


def test_results_lie_in_the_axes_of_the_layer() -> None:
    found = np.arange(9 * 4 * 5).reshape(9, 4, 5)
    assert np.array_equal(LayerAxes("QYX").result(found), found)
    assert np.array_equal(LayerAxes("TCYX").result(found)[:, 0], found)
    assert np.array_equal(LayerAxes("XTY").result(found), found.transpose(2, 0, 1))
    assert np.array_equal(LayerAxes("QYXC", rgb=True).result(found), found)


def test_a_result_lies_over_each_channel() -> None:
    place = LayerAxes("TCYX").place(3, (1, 2, 0.5, 0.5), (0, 10, 7, 8))
    # napari shows the plane round((world - translate) / scale); 0 is the only one.
    for channel in range(3):
        world = 10 + 2 * channel
        assert round((world - place["translate"][1]) / place["scale"][1]) == 0
    assert place["scale"][2:] == [0.5, 0.5]
    assert place["translate"][2:] == [7, 8]
    assert LayerAxes("YXC", rgb=True).place(3, (2, 2), (1, 1))["scale"] == [2, 2]
