r"""Make text safe to show: without secrets, and without control characters.

Names of files, other people's JSON and messages of libraries may contain any characters. Escape
codes in them could change the terminal's output, so they are shown as ``\x1b``. While a command
runs, all its output and log messages are made safe here.
"""

import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

from unet_exp.secrets.masking import masked_text

#: Control characters (C0 except tab and newline, DEL, C1), changes of writing direction, further
#: line separators, lone surrogates, and invisible characters: soft hyphens, fillers, zero-width
#: spaces, variation selectors, annotations, beams and tags.
ACTIVE = (
    r"\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b"
    r"\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb"
    r"\ud800-\udfff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
# Joiners and variation selectors are legitimate inside an emoji, and joiners and non-joiners
# between letters of Arabic and of the scripts of India.
EMOJI = r"\xa9\xae\u203c-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
LETTERS = r"\u0600-\u08ff\u0900-\u0dff\u1000-\u109f\u1780-\u17ff\u1800-\u18af"
JOINERS = (
    rf"(?<![{EMOJI}\ufe0e\ufe0f{LETTERS}])\u200d|\u200d(?![{EMOJI}{LETTERS}])"
    rf"|(?<![{LETTERS}])\u200c|\u200c(?![{LETTERS}])"
    rf"|(?<![{EMOJI}])[\ufe0e\ufe0f](?!\u20e3)"
)
IN_LINES = re.compile(f"[{ACTIVE}]|{JOINERS}")
IN_A_LINE = re.compile(f"[\t\n{ACTIVE}]|{JOINERS}")


def shown(text: object) -> str:
    r"""Return a name, or a message of one line, in a form that is safe to show.

    >>> print(shown("a\x1b[31m.tif"), shown("b\nError: \u202etxt.exe"), shown("\udcff.png"))
    a\x1b[31m.tif b\nError: \u202etxt.exe \udcff.png
    """
    return IN_A_LINE.sub(visible, masked_text(str(text)))


def shown_lines(text: str) -> str:
    r"""Return a text of several lines in a form that is safe to show.

    >>> print(shown_lines("a\rb\n\tc"))
    a\rb
        c
    """
    return IN_LINES.sub(visible, masked_text(text))


def visible(found: re.Match[str]) -> str:
    """Return a character as Python escapes it."""
    return found[0].encode("unicode_escape").decode("ascii")


class Screen:
    """A stream that makes all text safe before it is written.

    A carriage return at the beginning is kept, because progress bars use it to redraw themselves.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Write a text, and return its length."""
        start = len(text) - len(text.lstrip("\r"))
        self.stream.write(text[:start] + shown_lines(text[start:]))
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        """Write several texts."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def below(stream: TextIO) -> TextIO:
    """Return the stream below a :class:`Screen`, for code that makes its own text safe."""
    return stream.stream if isinstance(stream, Screen) else stream


@contextmanager
def screened() -> Iterator[None]:
    """Make all text safe that is printed or logged inside this context manager."""
    streams, factory = (sys.stdout, sys.stderr), logging.getLogRecordFactory()

    def record(*arguments: Any, **named: Any) -> logging.LogRecord:
        return cleaned(factory(*arguments, **named))

    sys.stdout, sys.stderr = (cast(TextIO, Screen(below(stream))) for stream in streams)
    logging.setLogRecordFactory(record)
    try:
        yield
    finally:
        logging.setLogRecordFactory(factory)
        sys.stdout, sys.stderr = streams


def cleaned(record: logging.LogRecord) -> logging.LogRecord:
    """Return a log record that is safe to show; each value in it is one line."""
    if record.name.startswith("unet_exp") and isinstance(record.args, tuple):
        kept = int | float | None
        record.args = tuple(one if isinstance(one, kept) else shown(one) for one in record.args)
    try:
        record.msg, record.args = shown_lines(record.getMessage()), None
    except Exception:  # a wrong number of values, which logging itself reports
        return record
    if record.exc_info and record.exc_info[0] is not None:
        record.exc_text = shown_lines(logging.Formatter().formatException(record.exc_info))
    return record
