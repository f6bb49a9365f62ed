"""Tables and progress bars of rich that show text literally, without markup or escape codes."""

import sys
from collections.abc import Iterable
from typing import Any

from rich import console, progress
from rich.segment import Segment
from rich.text import Text

from unet_exp.shown import below, shown_lines


class Console(console.Console):
    r"""A console that shows text literally, without secrets and active characters.

    >>> import io
    >>> text = io.StringIO()
    >>> Console(file=text, width=40).print("[red]a[/red] \x1b[31m")
    >>> print(text.getvalue())
    [red]a[/red] \x1b[31m
    """

    def __init__(self, **options: Any) -> None:
        # rich's own escape codes must stay, so it writes below the stream that removes them.
        file = below(options.pop("file", None) or sys.stdout)
        super().__init__(**({"file": file, "markup": False, "emoji": False} | options))

    def render_str(self, text: str, **options: Any) -> Text:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return a text that is safe to show."""
        return super().render_str(shown_lines(text), **options)

    def render(
        self, renderable: Any, options: console.ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Yield the safe segments of a renderable."""
        for piece in super().render(renderable, options):
            yield piece if piece.control else Segment(shown_lines(piece.text), piece.style)


def bar(console: Console, **options: Any) -> progress.Progress:
    """Return a progress bar for tasks that are named after files."""
    columns = (
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(),
        progress.TaskProgressColumn(),
        progress.TimeRemainingColumn(),
    )
    return progress.Progress(*columns, console=console, **options)
