import pytest
from torch import nn

from unet_exp.models.network import Network, require_network
from unet_exp.models.padded import Padded
from unet_exp.models.sliding_window import SlidingWindow
from unet_exp.models.unet import UNet


def test_each_network_of_the_project_fulfils_the_protocol() -> None:
    for network in (UNet(base_channels=1, depth=1), SlidingWindow(), Padded(nn.Identity(), 1, 0)):
        assert isinstance(network, Network)
        require_network(network)


def test_the_error_of_an_unsuitable_network_names_what_is_missing() -> None:
    class Net(nn.Conv2d):
        step, halo, padding = 1, 0, "same"

    told = r"model: \S+Net lacks output_size, fitting_sizes\. .*\.Network describes .*model=padded"
    with pytest.raises(TypeError, match=told):
        require_network(Net(1, 2, 1))
