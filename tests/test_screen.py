"""Tables and bars of rich show the names of files unchanged."""

import io
import re

import pytest
from rich.live import Live
from rich.table import Table
from rich.text import Text

from tests.test_shown import ACTIVE
from unet_exp.screen import Console, bar
from unet_exp.shown import shown

NAME = "[red]a[/red] [link=http://x]b[/link] :smile:"
#: What rich itself writes to a terminal: colours, lines up, cleared lines, the cursor.
OURS = re.compile(r"\x1b\[(\d*;?)*[mAK]|\x1b\[2K|\x1b\[\?25[lh]|\x1b\[1A")


def screen(terminal: bool) -> tuple[io.StringIO, Console]:
    text = io.StringIO()
    return text, Console(file=text, force_terminal=terminal, width=200, color_system="standard")


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("active", ["", *ACTIVE[1:5], "\u202e"])
def test_a_name_is_a_text_in_a_table(active: str, terminal: bool) -> None:
    text, console = screen(terminal)
    table = Table(title=NAME + active)
    table.add_column(NAME + active)
    table.add_row(NAME + active)
    table.add_row(Text(NAME + active))
    console.print(table)
    console.print(NAME + active)
    with Live(table, console=console, auto_refresh=False) as live:
        live.refresh()
    told = OURS.sub("", text.getvalue())
    assert told.count(NAME) >= 5
    assert not [c for c in told if not c.isprintable() and c not in "\n\r"]
    assert "\x1b]" not in text.getvalue()


def test_a_bar_is_named_by_a_file() -> None:
    text, console = screen(True)
    with bar(console) as progress:
        progress.add_task(shown(NAME + "\x1b[31m"), total=1)
    assert NAME + "\\x1b[31m" in OURS.sub("", text.getvalue())
