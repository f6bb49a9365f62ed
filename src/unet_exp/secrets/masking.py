"""What is a secret: passwords, tokens and keys. Whatever is written or shown asks here.

A secret is known by where it stands: in an address (``http://user:***@host/?token=***``), or under
a name such as ``password`` or ``api_key``. What was found once, by :func:`learn`, is then masked
wherever it stands, such as alone in another library's error. The names are in
:mod:`unet_exp.secrets.names`, the places in :mod:`unet_exp.secrets.search`.
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
    IDLE,
    MASK,
    PAIR,
    REFERENCE,
    WORD,
    Span,
    is_secret,
    places,
    users,
)

#: Secrets that were met, to be masked wherever they stand.
_known: set[str] = set()
_pattern: re.Pattern[str] | None = None


def masked(value: Any, name: str = "") -> Any:
    """Return plain data with ``***`` in the place of each secret; lists and dictionaries are new.

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
    """Yield the keys of a dictionary or a list, what stands there, and the name that counts for it.

    A secret's name counts for all that it holds. ``{"name": ..., "value": ...}``, a pair of both,
    and ``["--name", ...]`` are usual forms of data too.
    """
    if isinstance(value, Mapping):
        given = value.get("name", value.get("key"))
        for key, item in value.items():
            # {"key": ...} alone is no secret; a key in an address is one.
            own = given if key == "value" and isinstance(given, str) else str(key)
            yield key, item, name if is_secret_name(name) else "" if own.lower() == "key" else own
        return
    before = ""
    for place, item in enumerate(value):
        pair = isinstance(value, tuple) and len(value) == 2 and place == 1
        own = before if pair or before.startswith("--") else ""
        yield place, item, own.lstrip("-") if is_secret_name(own) else name
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
    spans = [span for span in places(text, whole) if not stays(text[slice(*span)])]
    spans += [found.span() for found in _pattern.finditer(text)] if _pattern else []
    return replaced(text, spans)


def blanked(word: str) -> str:
    """Return an override without its secrets, be they given, masked, or looked up.

    Two overrides that differ in their secrets alone are the same one.

    >>> blanked("url=http://me:PW@host") == blanked("url=http://me:${oc.env:PW}@host")
    True
    """
    found = WORD.fullmatch(word)
    if found and is_secret_name(last_key(found["name"])):
        return found["head"] + MASK
    return replaced(word, list(places(word, whole=True)))


def is_masked(word: str) -> bool:
    """Tell whether a secret of an override, or of a value, is missing.

    >>> is_masked("url=http://me:***@host"), is_masked("input=a/***/b"), is_masked("token=***")
    (True, False, True)
    """
    pair = PAIR.fullmatch(word)
    spans = [*places(word, whole=True), *([pair.span("value")] if pair else [])]
    return word == MASK or any(word[slice(*span)].strip("'\"") == MASK for span in spans)


def masked_keys(value: Any, key: str = "") -> list[str]:
    """Return the dotted keys of plain data whose secrets are missing.

    >>> masked_keys({"dataset": {"url": "http://me:***@host", "root": "a"}})
    ['dataset.url']
    """
    if isinstance(value, Mapping):
        items = ((f"{key}.{name}".lstrip("."), item) for name, item in value.items())
    elif isinstance(value, list | tuple):
        items = ((f"{key}[{place}]", item) for place, item in enumerate(value))
    else:
        return [key] if isinstance(value, str) and is_masked(value) else []
    return [found for name, item in items for found in masked_keys(item, name)]


def learn(value: Any, name: str = "") -> None:
    """Remember the secrets of plain data, to mask them wherever they stand from now on."""
    if isinstance(value, Mapping | list | tuple):
        for _, item, below in named(value, name):
            learn(item, below)
    elif is_secret(name, value):
        remember([str(value)])
    elif isinstance(value, str):
        word = WORD.fullmatch(value)
        if word and is_secret(last_key(word["name"]), word["value"]):
            remember([word["value"]])
        for user, span in users(value, whole=True):
            pair = f"{unquote(user)}:{unquote(value[slice(*span)])}"
            remember([base64.b64encode(pair.encode()).decode()])
        pair = PAIR.fullmatch(value) if is_login(name) else None
        remember([pair["value"]] if pair else [])
        remember(value[slice(*span)] for span in places(value, whole=True))


def remember(secrets: Iterable[str]) -> None:
    """Keep secrets in the forms that they may take, if they cannot be taken for another word."""
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
    """Return a pattern for a secret, which lines may be folded at its blanks.

    A short one counts as a whole word only.
    """
    folded = r"[\s\\]+".join(map(re.escape, re.split(" +", secret)))
    return folded if len(secret) >= 8 else rf"(?<!\w){folded}(?!\w)"


def stays(value: str) -> bool:
    """Tell whether a value may be shown wherever it stands: nothing, a mask, or a reference."""
    text = value.strip("'\"")
    return text == MASK or bool(IDLE.fullmatch(text) or REFERENCE.fullmatch(text))


def replaced(text: str, spans: list[Span]) -> str:
    """Return a text with a mask in the place of each span; those that overlap share one."""
    parts, end = [], 0
    for start, stop in sorted(spans):
        if start >= end and start < stop:
            parts += [text[end:start], MASK]
        end = max(end, stop)
    return "".join([*parts, text[end:]])
