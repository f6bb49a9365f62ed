"""Tables and bars of rich, in which a text from a file is a text: no markup, no escape codes."""

import sys
from collections.abc import Iterable
from typing import Any

from rich import console, progress
from rich.segment import Segment
from rich.text import Text

from unet_exp.shown import below, shown_lines


class Console(console.Console):
    r"""Show texts as they are, but for secrets and for characters that act on a terminal.

    >>> import io
    >>> text = io.StringIO()
    >>> Console(file=text, width=40).print("[red]a[/red] \x1b[31m")
    >>> print(text.getvalue())
    [red]a[/red] \x1b[31m
    """

    def __init__(self, **options: Any) -> None:
        # Its own codes are wanted, so it writes below what takes out all others.
        file = below(options.pop("file", None) or sys.stdout)
        super().__init__(**({"file": file, "markup": False, "emoji": False} | options))

    def render_str(self, text: str, **options: Any) -> Text:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return a text as it may be shown."""
        return super().render_str(shown_lines(text), **options)

    def render(
        self, renderable: Any, options: console.ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Yield what is shown of anything, in pieces."""
        for piece in super().render(renderable, options):
            yield piece if piece.control else Segment(shown_lines(piece.text), piece.style)


def bar(console: Console, **options: Any) -> progress.Progress:
    """Return a bar for tasks that are named by files."""
    columns = (
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(),
        progress.TaskProgressColumn(),
        progress.TimeRemainingColumn(),
    )
    return progress.Progress(*columns, console=console, **options)
