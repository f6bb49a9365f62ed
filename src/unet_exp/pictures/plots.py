"""A page of plots of one size: light grid, quiet axes, and a headline above each."""

import math
from typing import Literal

from matplotlib.axes import Axes

from unet_exp.pictures.page import INK, QUIET, Page, bare

WIDTH, HEIGHT = 400, 240  # pixels of a plot, the numbers beside its axes included
COLUMNS = 3
LEFT, FOOT = 48, 14  # pixels for the numbers left of a plot and for the name below it
BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"  # of Okabe and Ito


class Plots(Page):
    """Up to three plots a row; without any plot, a line that says ``nothing``."""

    def __init__(
        self,
        count: int,
        title: str,
        height: int = HEIGHT,
        width: int = WIDTH,
        nothing: str = "Nothing has been recorded yet.",
    ) -> None:
        self.columns = min(COLUMNS, max(count, 1))
        super().__init__(
            math.ceil(max(count, 1) / self.columns), self.columns, height, width, title
        )
        if not count:
            bare(self.axes(*self.corner(0, 0), width, height))
            self.write(self.corner(0, 0)[0], height / 2, nothing, size=11)

    def plot(self, index: int, headline: str, margin: int = 0) -> Axes:
        """Return empty axes with a headline; their number counts along rows from 0.

        ``margin`` pixels stay free on their right.
        """
        x, y = self.corner(*divmod(index, self.columns))
        self.write(x + LEFT, y - 18, headline, size=11)
        return self.axes(x + LEFT, y + 4, self.width - 8 - margin, self.height - FOOT)


def quiet(axes: Axes, across: str) -> None:
    """Draw grid, ticks and frame so that the curves stand out; name the axis that goes across."""
    axes.grid(color="#DDDDDD", linewidth=0.6)
    axes.tick_params(labelsize=8, colors=QUIET, length=2)
    axes.set_xlabel(across, fontsize=8, color=QUIET, labelpad=1)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color("#BBBBBB")


def legend(axes: Axes, place: Literal["best", "lower left"] = "best") -> None:
    """Name the curves, where they leave room or in the corner named."""
    axes.legend(loc=place, frameon=False, fontsize=9, labelcolor=INK)


def worded(name: str) -> str:
    """Return a column's name as words.

    >>> worded("pixel_error")
    'pixel error'
    """
    return name.replace("_", " ")
