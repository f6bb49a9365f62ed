"""Select what to read from an image file: the series, the names of its axes, and the channels."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Shaped

LUMINANCE = (0.2125, 0.7154, 0.0721)
"""Weights of red, green and blue in grey (ITU-R BT.709), as in scikit-image's `rgb2gray`."""
BY_NAME = ("rgb", "luminance")


@dataclass(frozen=True)
class Selection:
    """The parts of an image file to read.

    Parameters
    ----------
    series
        Number of the image in a file that holds several, from 0. None means the largest image in a
        TIFF, and the first in other files.
    axes
        A letter for each axis, for files that do not name their axes: Y, X, C (channels), and
        others for pages. Example: "ZYXC".
    channels
        Numbers of the channels, from 0, in the order in which they are read. With "rgb", grey
        becomes three equal channels, and transparency is dropped. With "luminance", colours become
        grey. None means all.
    """

    series: int | None = None
    axes: str | None = None
    channels: str | tuple[int, ...] | None = None

    @classmethod
    def parse(cls, options: Mapping[str, Any]) -> "Selection":
        """Return the selection of the options ``series``, ``axes`` and ``channels``.

        >>> Selection.parse({"channels": [0, 2], "axes": "zyxc"})
        Selection(series=None, axes='ZYXC', channels=(0, 2))

        Raises ValueError that names the option.
        """
        return cls(
            _series(options.get("series")),
            _axes(options.get("axes")),
            _channels(options.get("channels")),
        )

    def named(self, stored: str, ndim: int) -> str:
        """Return the names of an array's axes; given names are used if the file has none.

        >>> Selection(axes="TYX").named("QYX", 3), Selection(axes="TYX").named("ZYX", 3)
        ('TYX', 'ZYX')
        """
        if self.axes is None or ndim == 2 or not set(stored) & set("QI"):
            return stored
        if len(self.axes) != ndim:
            raise ValueError(f"axes={self.axes} names {len(self.axes)} axes, and it has {ndim}")
        return self.axes

    def count(self, channels: int, are_colours: bool) -> int:
        """Return the number of channels after the selection.

        Raises ValueError if the file lacks a channel, or has no colours.
        """
        if self.channels is None:
            return channels
        if not isinstance(self.channels, str):
            if max(self.channels) >= channels:
                present = "only channel 0" if channels == 1 else f"channels 0 to {channels - 1}"
                raise ValueError(
                    f"channels={list(self.channels)} names channel {max(self.channels)}, and it "
                    f"has {present}"
                )
            return len(self.channels)
        if channels > 2 and not are_colours:
            raise ValueError(
                f"channels={self.channels} is for colours, and its {channels} channels are not "
                "stored as colours. Name the channels: channels=[0,1]"
            )
        return 3 if self.channels == "rgb" else 1

    def apply(self, pixels: Shaped[np.ndarray, "c h w"]) -> Shaped[np.ndarray, "d h w"]:
        """Return the chosen channels, of the same type.

        >>> Selection(channels="luminance").apply(np.full((3, 1, 1), 100, np.uint8)).tolist()
        [[[100]]]
        """
        if self.channels is None:
            return pixels
        if not isinstance(self.channels, str):
            return pixels[list(self.channels)]
        is_grey = len(pixels) < 3  # maybe with transparency
        if self.channels == "rgb":
            return pixels[[0, 0, 0]] if is_grey else pixels[:3]
        if is_grey:
            return pixels[:1]
        grey = np.tensordot(LUMINANCE, pixels[:3].astype(np.float64), 1)
        return (grey if pixels.dtype.kind == "f" else np.rint(grey)).astype(pixels.dtype)[None]


EVERYTHING = Selection()


def _series(value: Any) -> int | None:
    if value is None or (type(value) is int and value >= 0):
        return value
    raise ValueError(f"series={value} is no number of a series. Give 0, 1, ...")


def _axes(value: Any) -> str | None:
    if value is None:
        return None
    letters = str(value).upper()
    if letters.isalpha() and len(set(letters)) == len(letters) and {"Y", "X"} <= set(letters):
        return letters
    raise ValueError(
        f"axes={value} does not name axes. Give a letter for each, Y and X among them: axes=ZYXC."
    )


def _channels(value: Any) -> str | tuple[int, ...] | None:
    if value is None or value in BY_NAME:
        return value
    numbers = [value] if type(value) is int else value
    is_list = isinstance(numbers, list | tuple) and bool(numbers)
    if is_list and all(type(number) is int and number >= 0 for number in numbers):
        return tuple(numbers)
    raise ValueError(
        f"channels={value} names no channels. Give their numbers from 0 (channels=[0,2]), "
        "channels=rgb or channels=luminance."
    )
