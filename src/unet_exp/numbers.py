"""Format numbers in the same way in every table, log and page; and read numbers from text."""

import math
import re


def format_score(value: float | None) -> str:
    """Format a score with four decimals, so that columns are aligned; None becomes a dash.

    >>> format_score(0.98765), format_score(0.000353), format_score(math.nan), format_score(None)
    ('0.9877', '3.5e-4', '-', '-')
    """
    if value is None or not math.isfinite(value):
        return "-"
    if 1e-9 < abs(value) < 0.001:
        return f"{value:.1e}".replace("e-0", "e-")
    return f"{value:.4f}"


def format_short(value: float | None) -> str:
    """Format a score within a line of text, without trailing zeros.

    >>> format_short(94.0), format_short(0.80001), format_short(0.0462), format_short(math.nan)
    ('94', '0.8', '0.0462', '-')
    """
    text = format_score(value)
    return text if "e" in text else text.rstrip("0").rstrip(".")


def format_duration(seconds: float | None) -> str:
    """Format a duration as minutes and seconds, with hours if there are any.

    >>> [format_duration(value) for value in (75.4, 3_725, 200_000, None)]
    ['1:15', '1:02:05', '55:33:20', '']
    """
    if seconds is None:
        return ""
    minutes, rest = divmod(round(max(0.0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def parse_duration(text: str, name: str = "The time") -> float:
    """Return the seconds of a duration: a number with s, min or h.

    Raises ValueError, with the ``name`` of the setting.

    >>> parse_duration("90s"), parse_duration("20min"), parse_duration("1.5h")
    (90.0, 1200.0, 5400.0)
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(s|min|h)", text)
    seconds = float(found[1]) * {"s": 1, "min": 60, "h": 3600}[found[2]] if found else 0.0
    if not seconds:
        raise ValueError(f"{name}={text} is no duration. Write 90s, 20min or 2h.")
    return seconds


def format_bytes(count: float) -> str:
    """Format a number of bytes; large numbers are in GiB.

    >>> format_bytes(3 * 2**29), format_bytes(1000)
    ('1.5 GiB', '1,000 bytes')
    """
    if count < 2**20:
        return f"{int(count):,} bytes"
    return f"{count / 2**30:,.4g} GiB" if count < 2**43 else f"{int(count) // 2**30:,} GiB"


def parse_number(text: object, finite: bool = True) -> float | None:
    """Read a number; whole numbers become int, and any other text None.

    NaN and infinite numbers are None, too, unless ``finite`` is False.

    >>> [parse_number(text) for text in ("12", "1e-4", 0.5, "true", "1_000", "inf", "", None)]
    [12, 0.0001, 0.5, None, None, None, None, None]
    >>> parse_number("inf", finite=False)
    inf
    """
    try:
        value = float(text)  # pyright: ignore[reportArgumentType]
    except (TypeError, ValueError, OverflowError):
        return None
    if "_" in str(text) or (finite and not math.isfinite(value)):
        return None
    return int(value) if str(text).isdecimal() and abs(value) < 2**53 else value


def tidy(text: str | None) -> str | None:
    """Round a number in a text to at most four digits; short numbers and other texts do not change.

    >>> tidy("0.00012345678"), tidy("1e-4"), tidy("0.0001"), tidy("0.31415926"), tidy("0.9995")
    ('1.235e-4', '1.0e-4', '1.0e-4', '0.3142', '0.9995')
    >>> tidy("12345678"), tidy("3"), tidy("paper"), tidy("1234567.5"), tidy(None)
    ('12345678', '3', 'paper', '1.235e6', None)
    """
    value = None if text is None else parse_number(text)
    if text is None or value is None or isinstance(value, int):
        return text
    if value and (abs(value) < 1e-3 or abs(value) >= 1e6):
        digits, _, power = f"{value:.3e}".partition("e")
        whole, _, part = digits.partition(".")
        return f"{whole}.{part.rstrip('0') or '0'}e{int(power)}"
    return text if len(text) <= 6 else f"{value:.4g}"
