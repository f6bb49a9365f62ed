"""A page of equal pictures with titles and colour bars: matplotlib's Agg canvas, laid out by hand.

Positions are computed in pixels, since matplotlib's own layouts draw everything several times.
"""

from functools import cache
from pathlib import Path

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
LINE, ENTRY = 20, 84  # height of a legend's line and width of an entry, in pixels
TOP = 40  # pixels for the page's title
INK, QUIET = "#222222", "#666666"


class Page:
    """A grid of pictures of one size, ``width`` x ``height`` pixels each."""

    def __init__(
        self, rows: int, columns: int, height: int, width: int, title: str = "", entries: int = 1
    ) -> None:
        """Lay out a page whose legends, below pictures, have up to ``entries`` entries."""
        self.height, self.width = height, width
        self.legend_columns = max(1, width // ENTRY)
        foot = LINE * -(-entries // self.legend_columns) + 4
        self.cell_width, self.cell_height = width + BAR + GAP, height + HEAD + foot
        self.top = TOP if title else GAP // 2
        self.total_width = columns * self.cell_width + GAP
        self.total_height = rows * self.cell_height + self.top
        self.figure = blank(self.total_width, self.total_height)
        if title:
            limit = max(20, self.total_width // 11)
            shown = title if len(title) <= limit else title[: limit - 1] + "…"
            self.write(GAP, 12, shown, size=13, weight="bold")

    def write(self, x: float, y: float, text: str, **style: object) -> None:
        """Write a line whose upper left corner is ``x``, ``y`` pixels from the page's."""
        style = {"color": INK, "va": "top", "ha": "left", "size": 10, **style}
        self.figure.text(
            x / self.total_width,
            1 - y / self.total_height,
            printable(text),
            parse_math=False,
            **style,  # pyright: ignore[reportArgumentType]
        )

    def corner(self, row: int, column: int) -> tuple[int, int]:
        """Upper left corner of a cell's picture, in pixels from the page's."""
        return GAP + column * self.cell_width, self.top + row * self.cell_height + HEAD

    def axes(self, x: float, y: float, width: float, height: float) -> Axes:
        """Axes that fill a rectangle given in pixels from the page's upper left corner."""
        left, bottom = x / self.total_width, 1 - (y + height) / self.total_height
        box = (left, bottom, width / self.total_width, height / self.total_height)
        return self.figure.add_axes(box)

    def show(
        self, row: int, column: int, picture: UInt8[np.ndarray, "h w 3"], title: str = ""
    ) -> Axes:
        """Put a picture, which has a cell's size, in a cell."""
        x, y = self.corner(row, column)
        axes = self.axes(x, y, self.width, self.height)
        axes.imshow(picture, interpolation="nearest", aspect="auto")
        bare(axes)
        if title:
            self.write(x, y - 20, title, size=11)
        return axes

    def show_numbers(
        self,
        row: int,
        column: int,
        values: Shaped[np.ndarray, "h w"],
        colours: str,
        low: float,
        high: float,
        title: str = "",
    ) -> Axes:
        """Put a map of numbers in a cell, with its colour bar."""
        scale = ScalarMappable(Normalize(low, high if high > low else low + 1), colours)
        rgb = scale.to_rgba(np.asarray(values, np.float32), bytes=True)[..., :3]
        axes = self.show(row, column, np.ascontiguousarray(rgb), title)
        x, y = self.corner(row, column)
        bar = self.axes(x + self.width + 6, y, 10, self.height)
        self.figure.colorbar(scale, cax=bar)
        bar.tick_params(labelsize=8, colors=QUIET, length=2, pad=2)
        bar.locator_params(nbins=min(6, max(1, self.height // 40)))
        for spine in bar.spines.values():
            spine.set_visible(False)
        return axes

    def legend(self, row: int, column: int, entries: dict[str, Colour]) -> None:
        """Write names with their colours under a cell's picture."""
        x, y = self.corner(row, column)
        patches = [
            Patch(color=(red / 255, green / 255, blue / 255), label=name)
            for name, (red, green, blue) in entries.items()
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


def blank(width: int, height: int) -> Figure:
    """Make a white figure of a size in pixels, on an Agg canvas of its own."""
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def bare(axes: Axes) -> None:
    """Take ticks and frame away."""
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)


@cache
def _characters() -> frozenset[int]:
    return frozenset(get_font(findfont(FontProperties())).get_charmap())


def printable(text: str) -> str:
    """Replace what the font cannot draw by a question mark, which spares a warning each."""
    return "".join(c if ord(c) in _characters() else "?" for c in text)


def finished(figure: Figure, path: Path | str | None) -> UInt8[np.ndarray, "H W 3"]:
    """Draw the figure; also as a PNG file, which appears whole or not at all, if a path is given.

    Missing folders are made. OSError where the file cannot be written.
    """
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    rgb = np.asarray(canvas.buffer_rgba())[..., :3].copy()
    if path is not None:
        write_png(rgb, Path(path))
    return rgb


def write_png(rgb: UInt8[np.ndarray, "H W 3"], path: Path) -> None:
    """Write a PNG file, whole or not at all."""
    encoded = cv2.imencode(".png", rgb[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 3])[1]
    with replacing(path) as part:
        part.write_bytes(encoded.tobytes())
