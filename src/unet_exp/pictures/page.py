"""Pages of pictures or plots of one size, with titles, legends and colour bars.

Positions are computed in pixels, because matplotlib's own layouts draw everything several times.
"""

from functools import cache
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from jaxtyping import Shaped, UInt8
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.patches import Patch

from unet_exp.files import replacing
from unet_exp.pictures.colours import Colour

DPI = 100
GAP, HEAD, BAR = 14, 26, 46  # pixels around a picture: gap, title above, colour bar beside
LINE, ENTRY = 20, 84  # pixels: height of a legend's line, width of an entry
TOP = 40  # pixels for the page's title
PLOT_WIDTH, PLOT_HEIGHT = 400, 240  # pixels of a plot with the numbers on its axes
COLUMNS = 3  # of plots
LEFT, FOOT = 48, 14  # pixels for the numbers left of a plot and for the axis label below it
INK, QUIET = "#222222", "#666666"
BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"  # of Okabe and Ito


class Page:
    """A grid of pictures of one size, ``width`` x ``height`` pixels each."""

    def __init__(
        self, rows: int, columns: int, height: int, width: int, title: str = "", entries: int = 1
    ) -> None:
        """Lay out a page; legends below pictures have up to ``entries`` entries."""
        self.height, self.width = height, width
        self.legend_columns = max(1, width // ENTRY)
        foot = LINE * -(-entries // self.legend_columns) + 4
        self.cell_width, self.cell_height = width + BAR + GAP, height + HEAD + foot
        self.top = TOP if title else GAP // 2
        self.total_width = columns * self.cell_width + GAP
        self.total_height = rows * self.cell_height + self.top
        size = self.total_width / DPI, self.total_height / DPI
        self.figure = Figure(figsize=size, dpi=DPI, facecolor="white")
        #: By upper left corner. They are copied onto the page, which is quicker than axes.
        self.pictures: dict[tuple[int, int], UInt8[np.ndarray, "h w 3"]] = {}
        if title:
            limit = max(20, self.total_width // 11)
            shown = title if len(title) <= limit else title[: limit - 1] + "…"
            self.write(GAP, 12, shown, size=13, weight="bold")

    def write(self, x: float, y: float, text: str, **style: object) -> None:
        """Write a line with its upper left corner at ``x``, ``y`` pixels of the page."""
        style = {"color": INK, "va": "top", "ha": "left", "size": 10, **style}
        self.figure.text(
            x / self.total_width,
            1 - y / self.total_height,
            printable(text),
            parse_math=False,
            **style,  # pyright: ignore[reportArgumentType]
        )

    def corner(self, row: int, column: int) -> tuple[int, int]:
        """Return the upper left corner of a cell's picture in pixels of the page."""
        return GAP + column * self.cell_width, self.top + row * self.cell_height + HEAD

    def axes(self, x: float, y: float, width: float, height: float) -> Axes:
        """Add axes that fill a rectangle, given by its upper left corner and size in pixels."""
        left, bottom = x / self.total_width, 1 - (y + height) / self.total_height
        box = (left, bottom, width / self.total_width, height / self.total_height)
        return self.figure.add_axes(box)

    def show(
        self, row: int, column: int, picture: UInt8[np.ndarray, "h w 3"], title: str = ""
    ) -> None:
        """Put a picture of the size of a cell on the page."""
        self.pictures[self.corner(row, column)] = picture
        if title:
            x, y = self.corner(row, column)
            self.write(x, y - 20, title, size=11)

    def show_numbers(
        self,
        row: int,
        column: int,
        values: Shaped[np.ndarray, "h w"],
        colours: str,
        low: float,
        high: float,
        title: str = "",
    ) -> None:
        """Draw a map of numbers with its colour bar."""
        scale = ScalarMappable(Normalize(low, high if high > low else low + 1), colours)
        rgb = scale.to_rgba(np.asarray(values, np.float32), bytes=True)[..., :3]
        self.show(row, column, np.ascontiguousarray(rgb), title)
        x, y = self.corner(row, column)
        bar = self.axes(x + self.width + 6, y, 10, self.height)
        self.figure.colorbar(scale, cax=bar)
        bar.tick_params(labelsize=8, colors=QUIET, length=2, pad=2)
        bar.locator_params(nbins=min(6, max(1, self.height // 40)))
        bar.spines[:].set_visible(False)

    def legend(self, row: int, column: int, entries: dict[str, Colour]) -> None:
        """Draw a legend of names and colours below a cell's picture."""
        x, y = self.corner(row, column)
        patches = [
            Patch(color=f"#{bytes(colour).hex()}", label=name) for name, colour in entries.items()
        ]
        self.figure.legend(
            handles=patches,
            loc="upper left",
            bbox_to_anchor=(x / self.total_width, 1 - (y + self.height + 2) / self.total_height),
            ncols=self.legend_columns,
            labelspacing=0.3,
            frameon=False,
            fontsize=9,
            borderpad=0,
            borderaxespad=0.2,
            handlelength=1,
            handleheight=1,
            columnspacing=1,
            labelcolor=INK,
        )


class Plots(Page):
    """A page of plots, up to three in a row; without plots it shows the text ``nothing``."""

    def __init__(
        self,
        count: int,
        title: str,
        height: int = PLOT_HEIGHT,
        width: int = PLOT_WIDTH,
        nothing: str = "Nothing has been recorded yet.",
    ) -> None:
        self.columns = min(COLUMNS, max(count, 1))
        super().__init__(-(-max(count, 1) // self.columns), self.columns, height, width, title)
        if not count:
            bare(self.axes(*self.corner(0, 0), width, height))
            self.write(self.corner(0, 0)[0], height / 2, nothing, size=11)

    def plot(self, index: int, headline: str, margin: int = 0) -> Axes:
        """Add empty axes with a headline, and ``margin`` free pixels on their right.

        Plots are numbered along the rows from 0.
        """
        x, y = self.corner(*divmod(index, self.columns))
        self.write(x + LEFT, y - 18, headline, size=11)
        return self.axes(x + LEFT, y + 4, self.width - 8 - margin, self.height - FOOT)


def quiet(axes: Axes, label: str) -> None:
    """Draw grid, ticks and frame in pale grey, so that the curves stand out; label the x axis."""
    axes.grid(color="#DDDDDD", linewidth=0.6)
    axes.tick_params(labelsize=8, colors=QUIET, length=2)
    axes.set_xlabel(label, fontsize=8, color=QUIET, labelpad=1)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[:].set_color("#BBBBBB")


def legend(axes: Axes, place: Literal["best", "lower left"] = "best") -> None:
    """Draw the legend of the curves."""
    axes.legend(loc=place, frameon=False, fontsize=9, labelcolor=INK)


def bare(axes: Axes) -> None:
    """Remove ticks and frame."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)


@cache
def _characters() -> frozenset[int]:
    return frozenset(get_font(findfont(FontProperties())).get_charmap())


def printable(text: str) -> str:
    """Replace characters that the font lacks by question marks; matplotlib would warn of each."""
    return "".join(c if ord(c) in _characters() else "?" for c in text)


def finished(page: Page, path: Path | str | None) -> UInt8[np.ndarray, "H W 3"]:
    """Render a page, and write it to a PNG file if a path is given. Missing folders are created.

    Raises OSError if the file cannot be written.
    """
    canvas = FigureCanvasAgg(page.figure)
    canvas.draw()
    rgb = np.asarray(canvas.buffer_rgba())[..., :3].copy()
    for (x, y), picture in page.pictures.items():
        rgb[y : y + page.height, x : x + page.width] = picture
    if path is not None:
        write_png(rgb, Path(path))
    return rgb


def write_png(rgb: UInt8[np.ndarray, "H W 3"], path: Path) -> None:
    """Write a PNG file atomically."""
    # This takes less time than level 3, for files a tenth larger.
    quick = [cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP]
    encoded = cv2.imencode(".png", rgb[..., ::-1], quick)[1]
    with replacing(path) as part:
        part.write_bytes(encoded.tobytes())
