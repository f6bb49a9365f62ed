"""The axes of a layer of napari, and results in the same axes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Shaped

from unet_exp.images.stored_image import CHANNELS


@dataclass(frozen=True)
class LayerAxes:
    """The axes of a layer's data, one letter each: Y, X, C (channels), others for pages.

    If ``rgb`` is true, there is a last axis of colours, which napari does not count.

    >>> LayerAxes.of((9, 3, 64, 80), rgb=False, channels=3)
    LayerAxes(letters='QCYX', rgb=False)
    """

    letters: str
    rgb: bool = False

    @classmethod
    def of(cls, shape: tuple[int, ...], rgb: bool, channels: int, named: str = "") -> "LayerAxes":
        """Return the axes of an image of this shape, for a network with this number of channels.

        napari shows the last two axes as rows and columns, and colours come after these.
        ``named`` are the axes that the user has entered.

        Raises ValueError if the axis of the channels is not clear.
        """
        if named:
            return cls(named.upper(), rgb)
        if rgb:
            return cls("Q" * (len(shape) - 3) + "YXC", rgb)
        pages = ["Q"] * (len(shape) - 2)
        if channels > 1:
            fitting = [axis for axis, side in enumerate(shape[:-2]) if side == channels]
            if len(fitting) != 1:
                raise ValueError(
                    f"The layer has the shape {shape}, and {len(fitting)} of its axes may hold "
                    f"the {channels} channels that the network takes. Name all axes, such as TCYX. "
                    "If each channel is a layer, merge these to a stack first (right-click them)."
                )
            pages[fitting[0]] = "C"
        return cls("".join([*pages, "YX"]))

    @property
    def channel(self) -> int | None:
        """The index of the axis of channels; None without channels, and for colours."""
        found = [place for place, axis in enumerate(self.letters) if axis in CHANNELS]
        return found[0] if found and not self.rgb else None

    def result(self, found: Shaped[np.ndarray, "..."]) -> Shaped[np.ndarray, "..."]:
        """Return a result, pages before rows and columns, in the axes of the layer.

        The axis of channels gets the length 1.

        >>> LayerAxes("TCYX").result(np.ones((9, 64, 80))).shape
        (9, 1, 64, 80)
        """
        kept = [place for place, axis in enumerate(self.letters) if axis not in CHANNELS]
        pages = [place for place in kept if self.letters[place] not in "YX"]
        ordered = [*pages, self.letters.index("Y"), self.letters.index("X")]
        moved = found.transpose([ordered.index(place) for place in kept])
        return moved if self.channel is None else np.expand_dims(moved, self.channel)

    def place(
        self, channels: int, scale: Sequence[float], translate: Sequence[float]
    ) -> dict[str, list[float]]:
        """Return scale and translation of a result, given those of the image.

        The axis of length 1 extends over all channels, so that napari shows the result on each.

        >>> LayerAxes("CYX").place(3, (1, 1, 1), (0, 0, 0))
        {'scale': [3.0, 1.0, 1.0], 'translate': [1.0, 0.0, 0.0]}
        """
        scale, translate = [float(one) for one in scale], [float(one) for one in translate]
        if self.channel is not None:
            translate[self.channel] += scale[self.channel] * (channels - 1) / 2
            scale[self.channel] *= channels
        return {"scale": scale, "translate": translate}
