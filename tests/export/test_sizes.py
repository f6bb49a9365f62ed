from unet_exp.export.sizes import Sizes
from unet_exp.models.sliding_window import SlidingWindow
from unet_exp.models.unet import UNet


def test_unpadded_sizes_are_those_of_figure_1() -> None:
    sizes = Sizes.of(UNet(base_channels=1))
    assert 572 in sizes.first(50)
    assert sizes.step == 16


def test_windows_may_have_any_size_from_two_on() -> None:
    assert Sizes.of(SlidingWindow(maps=1)) == Sizes(smallest=96, step=1)


def test_padded_sizes_are_multiples_with_room_for_the_halo() -> None:
    network = UNet(depth=2, base_channels=1, padding="same")
    sizes = Sizes.of(network)
    assert sizes.step == 4
    assert sizes.smallest % 4 == 0
    assert sizes.smallest > 2 * network.halo
