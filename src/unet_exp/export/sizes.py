"""The image sizes that an exported network accepts: ``smallest`` plus any number of steps."""

from dataclasses import dataclass

from unet_exp.models.network import Network


@dataclass(frozen=True)
class Sizes:
    """Fitting sides of an image in pixels.

    >>> Sizes(smallest=204, step=16).first(3)
    [204, 220, 236]
    """

    smallest: int
    step: int

    @classmethod
    def of(cls, network: Network) -> "Sizes":
        """Find the sizes of a network, from the first with room for its halo and two steps.

        >>> from unet_exp.models.unet import UNet
        >>> Sizes.of(UNet(base_channels=1))
        Sizes(smallest=220, step=16)
        """
        smallest = network.fitting_sizes(2 * network.halo + 2 * network.step)[1]
        return cls(smallest, network.fitting_sizes(smallest + 1)[1] - smallest)

    def first(self, count: int) -> list[int]:
        """Return the smallest sizes, in increasing order."""
        return [self.smallest + n * self.step for n in range(count)]
