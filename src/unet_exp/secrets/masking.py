"""Mask secrets (passwords, tokens and keys) in everything that is written or shown.

A secret is found in an address (``http://user:***@host/?token=***``), or under a name such as
``password`` or ``api_key``. Secrets that :func:`learn` has found are masked wherever they occur,
even alone in another library's error message.
"""

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus, unquote

from unet_exp.secrets.names import is_login, is_secret_name, last_key
from unet_exp.secrets.search import (
    MASK,
    PAIR,
    WORD,
    Span,
    find_passwords,
    find_secrets,
    hides_nothing,
    is_secret,
)

#: Secrets that are masked wherever they occur.
_known: set[str] = set()
_pattern: re.Pattern[str] | None = None


def masked(value: Any, name: str = "") -> Any:
    """Return plain data with ``***`` in place of each secret; lists and dictionaries are copies.

    >>> masked({"url": "http://me:PW@host/a?sig=x", "api_key": "abc", "depth": 4, "token": None})
    {'url': 'http://me:***@host/a?sig=***', 'api_key': '***', 'depth': 4, 'token': None}
    >>> masked(["+dataset.password='a b'", "seed=1", "storage=mysql://me:PW@db/x"])
    ['+dataset.password=***', 'seed=1', 'storage=mysql://me:***@db/x']
    """
    if isinstance(value, Mapping):
        return {
            masked_text(key) if isinstance(key, str) else key: masked(item, below)
            for key, item, below in named(value, name)
        }
    if isinstance(value, list | tuple):
        return type(value)(masked(item, below) for _, item, below in named(value, name))
    if isinstance(value, str):
        return masked_word(value, name)
    return MASK if is_secret(name, value) else value


def named(value: Any, name: str) -> Iterator[tuple[Any, Any, str]]:
    """Yield the keys and values of a dictionary or a list, and the name of each value.

    If a name is that of a secret, all values inside it are secrets. The name of a value may also be
    given as ``{"name": ..., "value": ...}``, as a pair, or as ``["--name", ...]``.
    """
    if isinstance(value, Mapping):
        given = value.get("name", value.get("key"))
        for key, item in value.items():
            # {"key": ...} alone is no secret; a key in an address is one.
            own = given if key == "value" and isinstance(given, str) else str(key)
            yield key, item, name if is_secret_name(name) else "" if own.lower() == "key" else own
        return
    before = ""
    for index, item in enumerate(value):
        pair = isinstance(value, tuple) and len(value) == 2 and index == 1
        own = before if pair or before.startswith("--") else ""
        yield index, item, own.lstrip("-") if is_secret_name(own) else name
        before = item if isinstance(item, str) else ""


def masked_word(text: str, name: str = "") -> str:
    """Return a value, or a whole override ``key=value``, with its secrets masked."""
    if is_secret(name, text):
        return MASK
    word = WORD.fullmatch(text)
    if word and is_secret(last_key(word["name"]), word["value"]):
        return word["head"] + MASK
    if is_login(name) and (pair := PAIR.fullmatch(text)):
        return replaced(text, [pair.span("value")])
    return masked_text(text, whole=True)


def masked_text(text: str, whole: bool = False) -> str:
    """Return any text, or a ``whole`` value or override, with the secrets in it masked.

    >>> masked_text("No answer of postgresql+psycopg2://me:PW@db:5432/x (password='a b')")
    "No answer of postgresql+psycopg2://me:***@db:5432/x (password='***')"
    >>> masked_text('{"Authorization": "Bearer abc", "user": "me"}')
    '{"Authorization": "***", "user": "me"}'
    """
    spans = [span for span in find_secrets(text, whole) if not stays(text[slice(*span)])]
    spans += [found.span() for found in _pattern.finditer(text)] if _pattern else []
    return replaced(text, spans)


def without_secrets(word: str) -> str:
    """Return an override without its secrets, whether they are given, masked, or references.

    The result is the same for two overrides that differ only in their secrets.

    >>> without_secrets("url=http://me:PW@host") == without_secrets("url=http://me:${oc.env:PW}@host")
    True
    """
    found = WORD.fullmatch(word)
    if found and is_secret_name(last_key(found["name"])):
        return found["head"] + MASK
    return replaced(word, list(find_secrets(word, whole=True)))


def is_masked(word: str) -> bool:
    """Tell whether an override, or a value, has a mask in place of its secret.

    >>> is_masked("url=http://me:***@host"), is_masked("input=a/***/b"), is_masked("token=***")
    (True, False, True)
    """
    pair = PAIR.fullmatch(word)
    spans = [*find_secrets(word, whole=True), *([pair.span("value")] if pair else [])]
    return word == MASK or any(word[slice(*span)].strip("'\"") == MASK for span in spans)


def learn(value: Any, name: str = "") -> None:
    """Remember the secrets in plain data, to mask them wherever they occur from now on."""
    if isinstance(value, Mapping | list | tuple):
        for _, item, below in named(value, name):
            learn(item, below)
    elif is_secret(name, value):
        remember([str(value)])
    elif isinstance(value, str):
        word = WORD.fullmatch(value)
        if word and is_secret(last_key(word["name"]), word["value"]):
            remember([word["value"]])
        for user, span in find_passwords(value, whole=True):
            pair = f"{unquote(user)}:{unquote(value[slice(*span)])}"
            remember([base64.b64encode(pair.encode()).decode()])
        pair = PAIR.fullmatch(value) if is_login(name) else None
        remember([pair["value"]] if pair else [])
        remember(value[slice(*span)] for span in find_secrets(value, whole=True))


def remember(secrets: Iterable[str]) -> None:
    """Keep secrets in all forms that they may have, except those that look like ordinary words."""
    global _pattern
    forms: set[str] = set()
    for secret in (given.strip("'\"") for given in secrets):
        # Names of options are words of small letters.
        if stays(secret) or len(secret) < (8 if secret.isalpha() and secret.islower() else 6):
            continue
        for one in (secret, unquote(secret)):
            # As addresses, Python, JSON, XML and YAML write it.
            forms |= {one, quote(one, safe=""), quote_plus(one), html.escape(one)}
            forms |= {json.dumps(one)[1:-1], one.replace("'", "''"), one.replace("'", "\\'")}
            forms.add(one.encode("unicode_escape").decode())
    if forms <= _known:
        return
    _known.update(forms)
    _pattern = re.compile("|".join(map(anywhere, sorted(_known, key=len, reverse=True))))


def anywhere(secret: str) -> str:
    """Return a pattern for a secret, which also matches if lines are folded at its blanks.

    A short secret must be a whole word.
    """
    folded = r"[\s\\]+".join(map(re.escape, re.split(" +", secret)))
    return folded if len(secret) >= 8 else rf"(?<!\w){folded}(?!\w)"


def stays(value: str) -> bool:
    """Tell whether a value may always be shown: it is empty, a mask, or a reference."""
    text = value.strip("'\"")
    return text == MASK or hides_nothing(text)


def replaced(text: str, spans: list[Span]) -> str:
    """Return a text with a mask in place of each span; overlapping spans share one."""
    parts, end = [], 0
    for start, stop in sorted(spans):
        if start >= end and start < stop:
            parts += [text[end:start], MASK]
        end = max(end, stop)
    return "".join([*parts, text[end:]])
