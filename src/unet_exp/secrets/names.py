"""Decide from the name of a value whether it is a secret: ``password``, ``kaggle_key``."""

import re
import unicodedata
from functools import lru_cache

#: Parts of the name of a secret, after its words are joined. Those for passwords also occur in
#: sentences.
PASSWORDS = (
    "password", "passwd", "passphrase", "passcode", "passwort", "kennwort", "motdepasse",
    "contraseña", "contrasena", "senha", "parola", "wachtwoord", "пароль", "密码", "密碼",
    "パスワード", "비밀번호", "secret", "credential",
)  # fmt: skip
WITHIN = (
    *PASSWORDS, "webhook", "authcode", "sessid", "sessionid", "sessiontoken",
    *(f"{kind}key" for kind in (
        "api", "access", "private", "auth", "account", "signing", "encryption", "session", "shared",
        "master", "ssh", "service", "storage", "subscription", "license", "client", "consumer",
    )),
    *(f"{kind}pass" for kind in ("db", "user", "login", "smtp", "mail", "root", "admin", "ftp")),
)  # fmt: skip
#: The last word of the name of a secret.
LAST = {
    "token", "tokens", "pwd", "pw", "psw", "pswd", "mdp", "auth", "authorization", "bearer",
    "cookie", "cookies", "jwt", "sig", "signature", "hmac", "otp", "totp", "pin", "creds",
}  # fmt: skip
#: The whole name of a secret.
WHOLE = {"pass", "key", "sid", "session"}
#: Names that may also begin a sentence: ``Session: started``.
ORDINARY = {"pass", "sid", "session", "pin", "otp"}
#: Last words of secret names, except after the words given here: ``kaggle_key`` is a secret,
#: ``sort_key`` is not.
BUT_AFTER = {
    "key": {
        "sort", "primary", "foreign", "unique", "public", "index", "group", "row", "column", "join",
        "cache", "partition", "map", "hot", "full", "config", "option", "override", "state", "dict",
        "missing", "unexpected", "unknown", "duplicate", "image", "raw", "label", "labels", "mask",
        "target", "input", "output", "data", "dataset", "batch", "loss", "metric", "score", "any",
        "yaml", "json", "attribute", "meta", "metadata", "internal", "array", "zarr", "hdf", "h",
        "prng", "rng", "random", "parent", "object", "item", "name", "id", "volume", "channel",
        "bad", "invalid", "wrong", "new", "old", "first", "last", "each", "every", "of", "the",
    },
    "pass": {
        "first", "second", "third", "last", "next", "low", "high", "band", "forward", "backward",
        "single", "multi", "one", "two", "n", "num", "per", "each", "max", "min", "by",
    },
}  # fmt: skip
#: Last words of names that describe a secret but do not hold it, such as ``token_count``.
ABOUT = {
    "file", "path", "dir", "folder", "name", "length", "policy", "count", "env", "size", "url",
    "required", "enabled", "type",
}  # fmt: skip
#: The last word of a name whose value may be a user's name and a password, ``me:PW``.
LOGINS = {"login", "user", "username", "userinfo", "userpwd", "account"}

# Letters of any script. A capital letter begins a word.
WORDS = re.compile(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+(?![a-z])")


@lru_cache(4096)
def is_secret_name(name: str) -> bool:
    """Decide from the name of a value whether it is a secret.

    >>> [is_secret_name(n) for n in ("password", "dataset.apiKey", "AWS_SECRET_ACCESS_KEY", "pw")]
    [True, True, True, True]
    >>> [is_secret_name(n) for n in ("key", "token_count", "password_file", "keys", "bypass")]
    [True, False, False, False, False]
    >>> [is_secret_name(n) for n in ("smtp_pass", "kaggle_key", "sort_key", "first_pass")]
    [True, True, False, False]
    """
    words = words_of(name)
    joined = "".join(words)
    if not words or (words[-1] in ABOUT and "webhook" not in joined):
        return False
    if joined in WHOLE or words[-1] in LAST or any(one in joined for one in WITHIN):
        return True
    return len(words) > 1 and words[-1] in BUT_AFTER and words[-2] not in BUT_AFTER[words[-1]]


def is_secret_field(name: str) -> bool:
    """Decide whether a field of an address, ``token[]`` or ``auth%5Btoken%5D``, is a secret.

    >>> [is_secret_field(n) for n in ("auth[token]", "token%5B%5D", "code", "page[size]")]
    [True, True, True, False]
    """
    parts = re.split(r"\[|\]|%5[bBdD]", name)
    return name.lower() == "code" or any(is_secret_name(part) for part in parts)


def is_login(name: str) -> bool:
    """Decide from the name of a value whether it may be a user's name and a password."""
    return not LOGINS.isdisjoint(words_of(name)[-1:])


@lru_cache(4096)
def words_of(name: str) -> list[str]:
    """Return the words of the last part of a dotted name, in lower case.

    >>> words_of("dataset.apiKey"), words_of("SMTP_PASS")
    (['api', 'key'], ['smtp', 'pass'])
    """
    last = re.split(r"[./]", unicodedata.normalize("NFKC", name[-500:]))[-1]
    return [word.lower() for word in WORDS.findall(last)]


def last_key(name: str) -> str:
    """Return the last part of a dotted key, without the package that Hydra adds to a group."""
    return name.partition("@")[0].rpartition(".")[2]
