"""Find secrets in a text: in addresses, and after names such as ``password``.

The time of each search grows linearly with the length of any text.
"""

import re
from collections.abc import Iterator

from unet_exp.secrets.names import (
    ORDINARY,
    PASSWORDS,
    is_login,
    is_secret_field,
    is_secret_name,
    last_key,
)

Span = tuple[int, int]

#: What replaces a secret.
MASK = "***"
#: Values that are no secret under any name.
IDLE = re.compile(r"|null|none|true|false|\?\?\?|~", re.IGNORECASE)
#: A reference such as ``${oc.env:NAME}``, which is no secret.
REFERENCE = re.compile(r"\$\{[^{}]*\}")

# The start of an address up to its user's name. "http:/me:" and "http:\\me:" are typing errors that
# are accepted. 8080/ is a port.
SLASHES = r"(?:[/\\]{2,4}+|(?<=\w\w:)[/\\])"
PORT = r"(?!\d{1,5}(?:[/?#]|$))"
USER = re.compile(
    rf"{SLASHES}(?P<name>(?:\$\{{[^{{}}]*\}}|[^\s/\\?#@:\"<>,{{}}]|\\(?![/\\]))*+):{PORT}"
)
# A password ends at the last @ before a slash, or, if it holds a slash itself, at the first one.
TO_A_SLASH = re.compile(r"(?:\$\{[^{}]*\}|[^\s\"<>/])*+")
END = re.compile(r"[\s\"<>]|\Z")
# A value that consists only of an address, or of a list of addresses.
IS_ADDRESS = re.compile(r"[\s\"'\[(]*(?:[a-z][\w+.-]*:)?[/\\]{1,4}[^/\\]", re.IGNORECASE)
ANY_TO_A_SLASH = re.compile(r"(?:\$\{[^{}]*\}|[^/])*+")
NEVER = re.compile(r"\Z")

ONLY_A_USER = re.compile(
    r"(?<![a-z])(?P<scheme>[a-z]*+)://(?P<value>[^\s/?#@:\"'<>,{}\[\]]++)@", re.IGNORECASE
)
#: User names that are public.
ANYONE = {"git", "anonymous", "ftp"}
#: Schemes in which a user's name without a password is a token.
OF_TOKENS = {"http", "https", "ftp", "ftps"}
# An address without a scheme is recognised by the name of a machine after the @.
BARE = r"(?P<name>[A-Za-z][\w.+-]*+):(?P<value>[^\s/\\:@\"'<>]++)@(?!sha\d)[\w-][\w.-]*+"
BARE_USER = re.compile(rf"(?<![\w.+/:@-]){BARE}(?=[/:(])")
ONLY_BARE = re.compile(rf"{BARE}(?:[/:(].*)?", re.DOTALL)
#: Words before an e-mail address.
BEFORE_MAIL = {
    "mailto", "mail", "email", "e-mail", "sip", "sips", "xmpp", "acct", "contact", "author",
    "authors", "maintainer", "by", "from", "to", "cc",
}  # fmt: skip
ORACLE = re.compile(r"\b(?i:oracle:\w++:|sqlplus\s++)(?://)?[^\s/@:\"']++/(?P<value>[^\s@\"']++)@")
WEBHOOK = re.compile(
    r"//(?:hooks\.[\w-]++\.com/(?:services|workflows|triggers|hooks)/"
    r"|(?:\w++\.)?discord(?:app)?\.com/api/webhooks/|[\w-]++\.webhook\.office\.com/\w++/"
    r"|outlook\.office(?:365)?\.com/webhook/|api\.telegram\.org/bot|chat\.googleapis\.com/v1/)"
    r"(?P<value>[^\s\"'<>?#,;)\]}]++)",
    re.IGNORECASE,
)
QUERY = re.compile(
    r"[?&;#](?P<name>[\w.%\[\]-]++)=(?P<value>\$?\{[^{}\n]*+\}|[^&;#\s'\"<>,\]})]++)"
)
#: Escaped signs of addresses and queries, for an address inside another one.
ESCAPED = re.compile(r"%(2[356fF]|3[abdfABDF]|40|5[bdBD]|7[bdBD])")

QUOTED = r"\"(?P<double>(?:[^\"\\]|\\.)*+)\"|'(?P<single>(?:[^'\\]|\\.|'')*+)'"
ASSIGNED = re.compile(
    r"(?<![\w.\u0300-\u036f-])(?P<name>[\w.\u0300-\u036f-]++)(?P<quote>\\?[\"'])?(?P<sign>=|\s++=>?\s++|\s*+:\s*+)"
)
VALUE = re.compile(
    rf"{QUOTED}|\\\"(?P<inner>[^\"\\]*+)\\\"|(?P<value>\[[^\]\n]++\]?|\{{[^}}\n]++\}}?"
    rf"|(?:(?:Bearer|Basic|Token)\s++)?(?!\[)(?:\$\{{[^{{}}]*\}}|[^\s,;&{{}}\])'\"])++)"
)
REST = re.compile(r"[^\s,;&}\])'\"]*+")
#: A user's name and a password. Two numbers (user and group, or a time) do not count.
PAIR_BEGINS = re.compile(r"[\"']?(?!\d+:\d+\b)[^\s:/@\"'=,]{1,200}+:")
PAIR = re.compile(rf"{PAIR_BEGINS.pattern}(?P<value>[^\s/\\][^\"']*+)")
VALUE_OF_FLAG = r"(?P<value>\"[^\"\n]*+\"|'[^'\n]*+'|[^\s'\",]++)"
FLAG = re.compile(rf"(?<!\S)--(?P<name>[\w-]++)(?:=|[ \t]++)(?!--){VALUE_OF_FLAG}")
CURL = re.compile(rf"(?<!\S)-[uU] ?{VALUE_OF_FLAG}")
#: A word of a command line in quotes, because of its spaces.
QUOTED_WORD = re.compile(r"(?P<quote>[\"'])[+~]*(?P<name>[\w.@/-]++)=(?P<value>[^\n]*?)(?P=quote)")
#: A line of YAML, and the lines below it that belong to the same key.
LINE = re.compile(r"^[ \t]*+(?:- )?[\"']?(?P<name>[\w.-]++)[\"']?: +(?P<value>\S[^\n]*+)", re.M)
BLOCK = re.compile(
    r"^(?P<indent> *)(?P<name>[\w.-]++): *(?:[|>][+-]?)?\n"
    r"(?=(?P<value>(?:(?P=indent)(?:- | )[^\n]*\n?)+))",
    re.M,
)
ELEMENT = re.compile(
    r"<(?P<name>[\w:.-]++)(?:\s[^<>]*+)?>(?P<value><!\[CDATA\[[^\]<]*+\]\]>|[^<]++)</"
)
NAMED = re.compile(
    r"\b(?:name|key)[\"']?\s*+[=:]\s*+[\"'](?P<name>[\w.-]++)[\"'],?\s*+"
    r"[\"']?value[\"']?\s*+[=:]\s*+[\"'](?P<value>[^\"']*+)"
)
PAIR_IN_CODE = re.compile(rf"\(\s*+[\"'](?P<name>[\w.-]++)[\"'],\s*+(?:{QUOTED})\s*+\)")
#: Words before a password, in netrc and in SQL.
AFTER_WORDS = re.compile(
    r"(?<!\S)(?:machine\s++\S++(?:\s++(?:login|account)\s++\S++)*+"
    r"|default(?:\s++(?:login|account)\s++\S++)++)\s++password\s++(?P<netrc>\S++)"
    r"|\b(?i:identified\s++(?:with\s++\S++\s++)?by(?:\s++password)?|password)\s++"
    rf"(?:{QUOTED})"
)
#: Secrets with a typical form.
FORMS = re.compile(
    r"(?<![A-Za-z0-9])(?:gh[pousr]_\w{20,}+|github_pat_\w{20,}+|glpat-[\w-]{15,}+|hf_\w{20,}+"
    r"|wandb_v\d_\w{20,}+|xox[a-z]-[\w-]{10,}+|A[KS]IA[A-Z0-9]{16}|AIza[\w-]{30,}+)"
    r"|(?<![\w-])(?:sk-(?=[\w-]*\d)[\w-]{20,}+|eyJ[\w-]{8,}+\.[\w-]{8,}+\.[\w-]++)"
    r"|(?i:(?<=bearer )[\w.~+/=-]{8,}+)|(?<=Basic )(?=\S*\d)[A-Za-z0-9+/]{8,}+={0,2}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
)
#: A whole override.
WORD = re.compile(r"(?P<head>[+~]*(?P<name>[\w.@/-]+)=)(?P<value>.*)", re.DOTALL)


def is_secret_override(name: str) -> bool:
    """Decide from the dotted key of an override whether its value is a secret."""
    return name != "key" and is_secret_name(last_key(name))


def is_secret_element(name: str) -> bool:
    """Decide from the tag of an XML element, with or without namespace, whether it is a secret."""
    return is_secret_name(name.rpartition(":")[2])


#: Patterns that find a secret; a check of the name that is found with it, if needed; and a text
#: that occurs in every match, to skip other texts quickly.
RULES = (
    (QUERY, is_secret_field, "="),
    (QUOTED_WORD, is_secret_override, "="),
    (WEBHOOK, None, "//"),
    (ORACLE, None, "@"),
    (ELEMENT, is_secret_element, "</"),
    (NAMED, is_secret_name, "value"),
    (PAIR_IN_CODE, is_secret_name, "("),
    (FLAG, is_secret_name, "--"),
    (AFTER_WORDS, None, ""),
    (FORMS, None, ""),
)
#: Patterns of a value that may be a user's name and a password.
LOGIN_RULES = ((FLAG, is_login, "--"), (CURL, None, "curl"))
#: Largest number of characters of a reference.
LONGEST_REFERENCE = 200


def find_secrets(text: str, whole: bool = False, nested: int = 3) -> Iterator[Span]:
    """Yield the start and end of each secret in a text.

    A ``whole`` text is one value or one override. Escaped signs, such as ``%3D``, are decoded up to
    ``nested`` times.
    """
    for _, span in find_passwords(text, whole):
        yield span
    yield from find_tokens(text)
    for pattern, names_secret, part in RULES:
        for found in pattern.finditer(text) if part in text else ():
            if names_secret is None or names_secret(found["name"]):
                yield found.span(found.lastgroup or 0)
    for pattern, names_login, part in LOGIN_RULES:
        for found in pattern.finditer(text) if part in text else ():
            pair = PAIR.match(text, *found.span("value"))
            if pair and (names_login is None or names_login(found["name"])):
                yield pair.span("value")
    if "=" in text or ":" in text:
        yield from assigned(text)
        yield from in_lines(text)
    if nested and ESCAPED.search(text):
        plain, origin = unescaped(text)
        yield from ((origin[a], origin[b]) for a, b in find_secrets(plain, whole, nested - 1))


def find_passwords(text: str, whole: bool = False) -> Iterator[tuple[str, Span]]:
    """Yield the user of each address with a password, and the start and end of the password.

    >>> [(name, "http://me:a/b@h"[slice(*span)]) for name, span in find_passwords("http://me:a/b@h")]
    [('me', 'a/b')]
    """
    word = WORD.fullmatch(text) if whole else None
    loose = whole and IS_ADDRESS.match(word["value"] if word else text)
    until, ends = (ANY_TO_A_SLASH, NEVER) if loose else (TO_A_SLASH, END)
    # Results for one address that are also valid for the next ones are not searched again.
    edge = last = sign = end = done = -1
    for found in USER.finditer(text):
        start = found.end()
        if start < done:
            continue
        if start > edge and (part := until.match(text, start)):
            edge = part.end()
            last = text.rfind("@", start, edge)
        stop = last
        if last < start:
            if sign < start:
                sign = text.find("@", start)
                sign = len(text) if sign < 0 else sign
            if end < start and (next_end := ends.search(text, start)):
                end = next_end.start()
            if sign >= end:
                continue
            stop = sign
        done = stop
        # GitHub accepts a token as the user's name.
        if text[start:stop] in ("", "x-oauth-basic") or is_random(found["name"]):
            yield "", found.span("name")
        yield found["name"], (start, stop)
    only = ONLY_BARE.fullmatch(text, word.start("value") if word else 0) if whole else None
    for found in [only] if only else BARE_USER.finditer(text) if "@" in text else ():
        inside = in_reference(text, found.start("name"))
        if found["name"].lower() not in BEFORE_MAIL and not inside:
            yield found["name"], found.span("value")


def in_reference(text: str, index: int) -> bool:
    """Tell whether an index of a text is within a reference, such as ``${oc.env:NAME}``.

    >>> in_reference("me:${oc.env:PW}@host", 5), in_reference("${a} me:PW@host", 5)
    (True, False)
    """
    start = max(0, index - LONGEST_REFERENCE)
    return text.rfind("${", start, index) > text.rfind("}", start, index)


def find_tokens(text: str) -> Iterator[Span]:
    """Yield the start and end of each token that is used as a user's name in an address."""
    for found in ONLY_A_USER.finditer(text) if "//" in text else ():
        token = found["scheme"].lower() in OF_TOKENS and found["value"] not in ANYONE
        if token or is_random(found["value"]):
            yield found.span("value")


def assigned(text: str) -> Iterator[Span]:
    """Yield the values of secret names in code, JSON and command lines."""
    index = 0
    while found := ASSIGNED.search(text, index):
        name, index = found["name"], found.end()
        login = is_login(name)
        if name.lower() == "key" or not (login or is_secret_name(name)):
            continue
        value = VALUE.match(text, index) if not login or PAIR_BEGINS.match(text, index) else None
        if not value:
            continue
        kind = next(k for k in ("double", "single", "inner", "value") if value[k] is not None)
        start, stop = value.span(kind)
        if kind == "value" and (rest := REST.match(text, stop)):
            stop = rest.end()
        if login:
            if pair := PAIR.fullmatch(text, start, stop):
                yield pair.span("value")
            index = stop
            continue
        before = text[max(0, found.start() - 80) : found.start()].rstrip(" ")[-1:]
        # "wrong token: =" is a sentence and {token: abc} is data; a password is masked in both.
        clear = "=" in found["sign"] or before in {"{", ",", '"', "'", "("}
        if name.lower() not in ORDINARY:
            clear = clear or before in {"", "\n", "-"} or any(x in name.lower() for x in PASSWORDS)
        if clear and is_named(name, text[start:stop]):
            yield start, stop
            index = stop


def in_lines(text: str) -> Iterator[Span]:
    """Yield the values of secret names in YAML, which folds long ones."""
    stop = -1
    for found in LINE.finditer(text):
        if found.start() > stop and is_of_yaml(found["name"], found["value"]):
            stop = found.end()
            column = found.start("name") - text.rfind("\n", 0, found.start("name"))
            # Lines that are indented further, or are empty, belong to the value.
            while (
                stop < len(text) and not text[stop + 1 : stop + 1 + column].split("\n")[0].strip()
            ):
                following = text.find("\n", stop + 1)
                stop = following if following >= 0 else len(text)
            yield found.start("value"), found.start() + len(text[found.start() : stop].rstrip())
    for found in BLOCK.finditer(text):
        if is_of_yaml(found["name"], found["value"]):
            yield found.start("value"), found.start("value") + len(found["value"].rstrip())


def unescaped(text: str) -> tuple[str, list[int]]:
    """Return a text with ``%3D`` and the like decoded, and the original index of each character.

    >>> unescaped("a%3Db")
    ('a=b', [0, 1, 4, 5])
    """
    parts, origin, end = [], [], 0
    for found in ESCAPED.finditer(text):
        parts += [text[end : found.start()], chr(int(found[1], 16))]
        origin.extend(range(end, found.start() + 1))
        end = found.end()
    return "".join([*parts, text[end:]]), [*origin, *range(end, len(text) + 1)]


def is_of_yaml(name: str, value: str) -> bool:
    """Tell whether a value of a name in YAML is a secret; some names also begin sentences."""
    return name != "key" and name.lower() not in ORDINARY and is_secret(name, value)


def is_secret(name: str, value: object) -> bool:
    """Tell whether the value of a name must be masked."""
    return is_named(name, str(value)) and not hides_nothing(str(value))


def hides_nothing(text: str) -> bool:
    """Tell whether a value is no secret under any name: it is empty, or a reference."""
    return bool(IDLE.fullmatch(text) or REFERENCE.fullmatch(text))


def is_named(name: str, value: str) -> bool:
    """Tell whether a value of a name is a secret, masked or not.

    A number of tokens and a working directory are no secrets.

    >>> is_named("tokens", "abc"), is_named("tokens", "512"), is_named("PWD", "/home/me")
    (True, False, False)
    """
    counted = name.lower().endswith("tokens") and value.isdecimal()
    folder = name.lower().endswith("pwd") and value.startswith("/")
    return is_secret_name(name) and not counted and not folder


def is_random(text: str) -> bool:
    """Tell whether a user's name looks like a token."""
    return len(text) >= 16 and any(c.isdigit() for c in text) and any(c.isalpha() for c in text)
