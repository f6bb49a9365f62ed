"""A page as one text with template, style, scripts and pictures, which loads nothing else.

The content of a record may be hostile. Therefore templates escape all text, control characters
become visible, secrets are masked, and the page runs only its own scripts.
"""

import base64
import hashlib
import json
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from unet_exp.files import replacing
from unet_exp.numbers import format_duration, format_score, format_short
from unet_exp.shown import shown_lines

HERE = Path(__file__).parent


def write(path: Path, text: str) -> Path:
    """Write a page atomically: a reader sees either the old page or the new one."""
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8")
    return path


def render(template: str, scripts: tuple[str, ...], **content: Any) -> str:
    """Return a page.

    ``scripts`` are files of this room. ``content`` are the values that the template shows.
    """
    script = "\n".join(asset(name) for name in scripts)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        templates()
        .get_template(template)
        .render(
            style=Markup(asset("page.css")),  # noqa: S704 - ours, as is the script
            script=Markup(script),  # noqa: S704
            script_hash=Markup(f"sha256-{digest}"),  # noqa: S704
            written=datetime.now().astimezone().isoformat(timespec="seconds"),
            **content,
        )
    )


@cache
def asset(name: str) -> str:
    """Return a file of this room as text."""
    return (HERE / name).read_text(encoding="utf-8").strip()


@cache
def templates() -> Environment:
    """Return the templates; they escape all text."""
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "score": format_score,
        "short": format_short,
        "duration": format_duration,
        "json": as_json,
    }
    return environment


def visible(value: Any) -> Any:
    r"""Return a text without secrets, in which control characters are visible.

    >>> visible("a\u202eb"), visible(3)
    ('a\\u202eb', 3)
    """
    return (
        shown_lines(value) if isinstance(value, str) and not hasattr(value, "__html__") else value
    )


def as_json(value: Any) -> Markup:
    r"""Return plain data as JSON that cannot end the element that holds it.

    >>> print(as_json({"name": "</script><!--"}))
    {"name": "\u003c/script\u003e\u003c!--"}
    """
    text = json.dumps(cleaned(value), allow_nan=False)  # ASCII
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)  # noqa: S704 - no "<" is left


def cleaned(value: Any) -> Any:
    r"""Return plain data with all texts made safe to show, except pictures, which are our own.

    >>> cleaned({"error": ["a\u202eb", 1.5], "source": Markup("data:image/webp;base64,AA")})
    {'error': ['a\\u202eb', 1.5], 'source': Markup('data:image/webp;base64,AA')}
    """
    if isinstance(value, dict):
        return {shown_lines(str(key)): cleaned(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [cleaned(item) for item in value]
    return visible(value)
