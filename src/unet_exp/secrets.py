"""What is a secret: passwords, tokens and keys. Whatever is written or shown asks here.

A secret is known by where it stands: in an address (``http://user:***@host/?token=***``), or under
a name such as ``password`` or ``api_key``. What was found once, by :func:`learn`, is then masked
wherever it stands, such as alone in another library's error.
"""

import base64
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, unquote

#: What stands where a secret was.
MASK = "***"

#: Within the name of a secret, written in one word.
WITHIN = (
    "password", "passwd", "passphrase", "passcode", "secret", "credential",
    *(f"{kind}key" for kind in (
        "api", "access", "private", "auth", "account", "signing", "encryption", "session", "shared",
        "master", "ssh", "service", "storage", "subscription", "license",
    )),
)  # fmt: skip
#: The last word of the name of a secret.
LAST = {
    "token", "tokens", "pwd", "pw", "auth", "authorization", "bearer", "cookie", "cookies", "jwt",
    "sig", "signature", "webhook",
}  # fmt: skip
#: The whole name of a secret.
WHOLE = {"pass", "dbpass", "userpass", "key"}
#: The last word of a name that only speaks of a secret.
ABOUT = {
    "file", "path", "dir", "folder", "name", "length", "policy", "count", "env", "size", "url",
    "required", "enabled", "type",
}  # fmt: skip

#: Values that hide nothing.
IDLE = re.compile(r"|null|none|true|false|\?\?\?|~", re.IGNORECASE)
#: A value that is looked up when it is needed, such as ``${oc.env:NAME}``, is no secret.
REFERENCE = re.compile(r"\$\{[^{}]*\}")

# A user's name ends at a colon; a password at the last @ before a slash, or, if it holds a slash
# itself, at the first one. 8080/ is a port. Lengths are limited so that no text takes long.
USER_AND_PASSWORD = re.compile(
    r"//(?P<name>(?:\$\{[^{}]*\}|[^\s/?#@:\"<>,{}])*+):(?P<value>(?!\d{1,5}[/?#])"
    r"(?:(?:\$\{[^{}]*\}|[^\s\"<>/]){0,500}(?=@)|[^\s\"<>@]{0,500}))@"
)
ONLY_A_USER = re.compile(
    r"(?<![a-z])(?P<scheme>[a-z]*+)://(?P<value>[^\s/?#@:\"'<>,{}\[\]]++)@", re.IGNORECASE
)
QUERY = re.compile(r"[?&;#](?P<name>[\w.%-]++)=(?P<value>[^&;#\s'\"<>,\]})]++)")
QUOTED_VALUE = r"\"(?P<double>(?:[^\"\\]|\\.)*+)\"|'(?P<single>(?:[^'\\]|\\.|'')*+)'"
ASSIGNMENT = re.compile(
    r"(?<![\w.-])(?P<name>[\w.-]++)(?:\\?[\"'])?(?P<sign>=|\s+=>?\s+|\s*:\s*+)"
    rf"(?={QUOTED_VALUE}|\\\"(?P<inner>[^\"\\]*+)\\\"|(?P<value>\[[^\]\n]{{0,2000}}\]|\{{[^}}\n]{{0,2000}}\}}"
    rf"|(?:(?:Bearer|Basic|Token)\s+)?(?!\[)(?:\$\{{[^{{}}]*\}}|[^\s,;&{{}}\])'\"]){{1,1000}}))"
)
FLAG = re.compile(r"(?<!\S)--(?P<name>[\w-]++)[= ](?P<value>[^\s'\",]++)")
REST = re.compile(r"[^\s,;&}\])'\"]*")
#: A word of a command line within a text, in quotes because of its spaces.
QUOTED_WORD = re.compile(r"(?P<quote>[\"'])[+~]*(?P<name>[\w.@/-]++)=(?P<value>[^\n]*?)(?P=quote)")
#: A line of YAML, and what belongs to a key in the lines below it.
LINE = re.compile(r"^[ \t]*(?:- )?[\"']?(?P<name>[\w.-]++)[\"']?: +(?P<value>\S[^\n]*)", re.M)
BLOCK = re.compile(
    r"^(?P<indent> *)(?P<name>[\w.-]++): *(?:[|>][+-]?)?\n"
    r"(?=(?P<value>(?:(?P=indent)(?:- | )[^\n]*\n?)+))",
    re.M,
)
#: Secrets that are known by their own form.
FORMS = re.compile(
    r"(?<![A-Za-z0-9])(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{15,}|hf_\w{20,}"
    r"|wandb_v\d_\w{20,}|xox[a-z]-[\w-]{10,}|sk-(?=[\w-]*\d)[\w-]{20,}|A[KS]IA[A-Z0-9]{16}"
    r"|AIza[\w-]{30,}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]+)"
    r"|(?i:(?<=bearer )[\w.~+/=-]{8,})|(?<=Basic )(?=\S*\d)[A-Za-z0-9+/]{8,}={0,2}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)"
)
#: A whole override.
WORD = re.compile(r"(?P<head>[+~]*(?P<name>[\w.@/-]+)=)(?P<value>.*)", re.DOTALL)

#: Secrets that were met, to be masked wherever they stand.
_known: set[str] = set()
_pattern: re.Pattern[str] | None = None


def is_secret_name(name: str) -> bool:
    """Tell by its name whether a value is a secret.

    >>> [is_secret_name(n) for n in ("password", "dataset.apiKey", "AWS_SECRET_ACCESS_KEY", "pw")]
    [True, True, True, True]
    >>> [is_secret_name(n) for n in ("key", "token_count", "password_file", "keys", "bypass")]
    [True, False, False, False, False]
    """
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", re.split(r"[./]", name)[-1])
    words = [word.lower() for word in words]
    if not words or words[-1] in ABOUT:
        return False
    joined = "".join(words)
    return words[-1] in LAST or joined in WHOLE or any(one in joined for one in WITHIN)


def masked(value: Any, name: str = "") -> Any:
    """Return plain data with ``***`` in the place of each secret; lists and dictionaries are new.

    >>> masked({"url": "http://me:PW@host/a?sig=x", "api_key": "abc", "depth": 4, "token": None})
    {'url': 'http://me:***@host/a?sig=***', 'api_key': '***', 'depth': 4, 'token': None}
    >>> masked(["+dataset.password='a b'", "seed=1", "storage=mysql://me:PW@db/x"])
    ['+dataset.password=***', 'seed=1', 'storage=mysql://me:***@db/x']
    """
    if isinstance(value, Mapping):
        # {"key": ..., "value": ...} is a usual form of data; a key in an address is a secret.
        return {
            masked_text(key) if isinstance(key, str) else key: masked(item, below(name, str(key)))
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return type(value)(masked(item, name) for item in value)
    if isinstance(value, str):
        return masked_word(value, name)
    return MASK if is_secret(name, value) else value


def below(name: str, key: str) -> str:
    """Return the name that counts for a value within another one."""
    return name if is_secret_name(name) else "" if key.lower() == "key" else key


def is_secret(name: str, value: Any) -> bool:
    """Tell whether the value of a name is to be masked."""
    text = str(value)
    return is_named(name, text) and not IDLE.fullmatch(text) and not REFERENCE.fullmatch(text)


def is_named(name: str, value: str) -> bool:
    """Tell whether a value of a name is a secret, given or masked; not a number of tokens.

    >>> is_named("tokens", "abc"), is_named("tokens", "512"), is_named("PWD", "/home/me")
    (True, False, False)
    """
    counted = name.lower().endswith("tokens") and value.isdecimal()
    folder = name.lower().endswith("pwd") and value.startswith("/")
    return is_secret_name(name) and not counted and not folder


def masked_word(text: str, name: str = "") -> str:
    """Return a value, or a whole override ``key=value``, with its secrets masked."""
    if is_secret(name, text):
        return MASK
    word = WORD.fullmatch(text)
    if word and is_secret(last_key(word["name"]), word["value"]):
        return word["head"] + MASK
    return masked_text(text)


def masked_text(text: str) -> str:
    """Return any text with the secrets in it masked.

    >>> masked_text("No answer of postgresql+psycopg2://me:PW@db:5432/x (password='a b')")
    "No answer of postgresql+psycopg2://me:***@db:5432/x (password='***')"
    >>> masked_text('{"Authorization": "Bearer abc", "user": "me"}')
    '{"Authorization": "***", "user": "me"}'
    """
    spans = [span for span in places(text) if not stays(text[slice(*span)])]
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
    return replaced(word, list(places(word)))


def is_masked(word: str) -> bool:
    """Tell whether a secret of an override, or of a value, is missing.

    >>> is_masked("url=http://me:***@host"), is_masked("input=a/***/b"), is_masked("token=***")
    (True, False, True)
    """
    return word == MASK or any(word[slice(*span)].strip("'\"") == MASK for span in places(word))


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
    if isinstance(value, Mapping):
        for key, item in value.items():
            learn(item, below(name, str(key)))
    elif isinstance(value, list | tuple):
        for item in value:
            learn(item, name)
    elif is_secret(name, value):
        remember(str(value))
    elif isinstance(value, str):
        word = WORD.fullmatch(value)
        if word and is_secret(last_key(word["name"]), word["value"]):
            remember(word["value"])
        for found in USER_AND_PASSWORD.finditer(value):
            pair = f"{unquote(found['name'])}:{unquote(found['value'])}"
            remember(base64.b64encode(pair.encode()).decode())
        for span in places(value):
            remember(value[slice(*span)])


def remember(secret: str) -> None:
    """Keep a secret in the forms that it may take, if it cannot be taken for another word."""
    global _pattern
    secret = secret.strip("'\"")
    # Names of options are words of small letters.
    if stays(secret) or len(secret) < (8 if secret.isalpha() and secret.islower() else 6):
        return
    escaped = secret.encode("unicode_escape").decode()
    forms = {secret, unquote(secret), quote(secret, safe=""), escaped}
    if forms <= _known:
        return
    _known.update(forms)
    # A short one counts as a whole word only.
    words = (
        re.escape(one) if len(one) >= 8 else rf"(?<!\w){re.escape(one)}(?!\w)"
        for one in sorted(_known, key=len, reverse=True)
    )  # fmt: skip
    _pattern = re.compile("|".join(words))


def stays(value: str) -> bool:
    """Tell whether a value may be shown wherever it stands: nothing, a mask, or a reference."""
    text = value.strip("'\"")
    return text == MASK or bool(IDLE.fullmatch(text) or REFERENCE.fullmatch(text))


def places(text: str) -> Iterator[tuple[int, int]]:
    """Yield where in a text secrets stand, from one character to another."""
    if "//" in text:
        for found in USER_AND_PASSWORD.finditer(text):
            # GitHub takes a token for the user's name.
            if found["value"] in ("", "x-oauth-basic") or is_random(found["name"]):
                yield found.span("name")
            yield found.span("value")
        for found in ONLY_A_USER.finditer(text):
            web = found["scheme"].lower() in ("http", "https") and found["value"] != "git"
            if web or is_random(found["value"]):
                yield found.span("value")
    if "=" in text:
        for found in QUERY.finditer(text):
            if is_secret_name(found["name"]) or found["name"].lower() == "code":
                yield found.span("value")
        for found in QUOTED_WORD.finditer(text):
            if is_secret_name(last_key(found["name"])) and found["name"] != "key":
                yield found.span("value")
    if "--" in text:
        for found in FLAG.finditer(text):
            if is_secret_name(found["name"]):
                yield found.span("value")
    if "=" in text or ":" in text:
        yield from assigned(text)
    yield from (found.span() for found in FORMS.finditer(text))


def assigned(text: str) -> Iterator[tuple[int, int]]:
    """Yield where values of secret names stand, as code, JSON and YAML write them."""
    for found in ASSIGNMENT.finditer(text):
        name = found["name"]
        before = text[: found.start("name")].rstrip(" ")[-1:]
        # "wrong token: =" is a sentence, {token: abc} is data, and a password is one in both.
        told = "=" in found["sign"] or before in {"", "{", ",", '"', "'", "\n", "-", "("}
        kind = next(k for k in ("double", "single", "inner", "value") if found[k] is not None)
        if name.lower() == "key" or not is_named(name, found[kind]):
            continue
        if told or any(one in name.lower() for one in WITHIN[:6]):
            start, stop = found.span(kind)
            rest = REST.match(text, stop) if kind == "value" else None
            yield start, rest.end() if rest else stop
    for pattern in (LINE, BLOCK):
        for found in pattern.finditer(text):
            if found["name"] != "key" and is_secret(found["name"], found["value"]):
                yield found.start("value"), found.start("value") + len(found["value"].rstrip())


def replaced(text: str, spans: list[tuple[int, int]]) -> str:
    """Return a text with a mask in the place of each span; those that overlap share one."""
    parts, end = [], 0
    for start, stop in sorted(spans):
        if start >= end and start < stop:
            parts += [text[end:start], MASK]
        end = max(end, stop)
    return "".join([*parts, text[end:]])


def is_random(text: str) -> bool:
    """Tell whether a user's name looks like a token."""
    return len(text) >= 16 and any(c.isdigit() for c in text) and any(c.isalpha() for c in text)


def last_key(name: str) -> str:
    """Return the last part of a dotted key, without the package that Hydra adds to a group."""
    return name.partition("@")[0].rpartition(".")[2]
