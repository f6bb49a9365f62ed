"""Determine which axes of an array are pages, channels, rows and columns."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Shaped

from unet_exp.images.stored_image import CHANNELS, WIDEST_PIXEL

COLOURS = (
    " To make grey of colours, load the network with channels=luminance: "
    'unet_exp.load(checkpoint, "channels=luminance").'
)


@dataclass(frozen=True)
class Axes:
    """The axes of an array by name: one letter each.

    Y are rows, X columns, C or S channels. All others are pages.

    >>> Axes.guess((512, 512, 3), channels=3).letters
    'YXC'
    >>> Axes.guess((9, 64, 64), channels=1).letters
    'QYX'
    """

    letters: str

    @classmethod
    def given(cls, letters: str, shape: tuple[int, ...]) -> "Axes":
        """Return axes that a person names.

        Raises ValueError if they do not fit the array.
        """
        letters = letters.upper()
        if len(letters) != len(shape) or any(letters.count(axis) != 1 for axis in "YX"):
            raise ValueError(
                f"axes={letters} do not describe an array of shape {shape}. Give a letter for each "
                "of its axes: Y (rows), X (columns), C (channels), and others for pages, such as "
                "axes=TYX."
            )
        if sum(letters.count(axis) for axis in CHANNELS) > 1:
            raise ValueError(f"axes={letters} name channels twice. Give C or S once.")
        return cls(letters)

    @classmethod
    def guess(cls, shape: tuple[int, ...], channels: int, also: Collection[int] = ()) -> "Axes":
        """Return the axes of an image with this number of channels, or of a stack of such images.

        Parameters
        ----------
        also
            Other numbers of channels that an image may have, because some channels are selected.

        Raises ValueError if no order of axes fits, or if several fit.
        """
        names = {2: ("YX",), 3: ("CYX", "YXC", "QYX"), 4: ("QCYX", "QYXC")}.get(len(shape), ())
        counts = {channels, *also}
        fitting = [one for one in names if cls(one).channels(shape) in counts]
        if len(fitting) > 1 and fitting[-1] == "QYX":
            fitting.pop()  # an axis of one pixel is the channel
        if fitting == ["QYX"] and shape[-1] <= WIDEST_PIXEL < min(shape[:2]):
            fitting = []  # a short last axis holds channels, as in a file
        if len(fitting) == 1:
            return cls(fitting[0])
        fact = f"An array of shape {shape}"
        if fitting:
            raise ValueError(
                f"{fact} may be {' or '.join(fitting)}. Say which, such as axes={fitting[0]}."
            )
        several = f"({channels}, h, w), (h, w, {channels})"
        wanted = "(h, w), (pages, h, w)" if channels == 1 else several
        raise ValueError(
            f"{fact} is no image with {channels} channel{'s' * (channels > 1)}, which the network "
            f"takes. Give {wanted}, or name its axes, such as axes=ZYX{'C' * (channels > 1)}."
            + (COLOURS if channels == 1 and {3, 4} & {shape[-1], *shape[-3:-2]} else "")
        )

    def channels(self, shape: tuple[int, ...]) -> int:
        """Return the number of channels of an array of this shape."""
        sides = [side for axis, side in zip(self.letters, shape, strict=True) if axis in CHANNELS]
        return sides[0] if sides else 1

    def pages_first(self, array: Shaped[np.ndarray, "..."]) -> Shaped[np.ndarray, "*pages c h w"]:
        """Return a view of an array with pages first, then channels, rows and columns."""
        order = [self.letters.index(axis) for axis in "YX"]
        channel = [n for n, axis in enumerate(self.letters) if axis in CHANNELS]
        pages = [n for n in range(array.ndim) if n not in (*order, *channel)]
        view = array.transpose(*pages, *channel, *order)
        return view if channel else view[..., None, :, :]


def as_array(image: Any) -> Shaped[np.ndarray, "..."]:
    """Return an image as an array: from NumPy, a tensor, or any object that NumPy can convert.

    Raises ValueError if it holds no numbers.

    >>> as_array([[True, False]]).dtype
    dtype('uint8')
    """
    array = np.asarray(image)
    if array.dtype == bool:
        array = array.astype(np.uint8)
    if array.dtype.kind not in "uif" or 0 in array.shape:
        raise ValueError(
            f"The image is an array of shape {array.shape} and type {array.dtype}. Give one that "
            "holds pixels, as 8 or 16 bit or as float32."
        )
    return array
