"""How secrets are found in texts and values, and what is not mistaken for one."""

import json
import time
from urllib.parse import quote, quote_plus

import pytest
from omegaconf import OmegaConf

from unet_exp.secrets.masking import is_masked, learn, masked, masked_text

PW = "s3cr-Et"
LONG = "aB3-" * 600 + PW
ODBC = f"DRIVER={{ODBC Driver 18}};SERVER=h;UID=me;PWD={PW};Encrypt=yes"


@pytest.mark.parametrize(
    "text",
    [
        # Long ones
        f"http://me:{LONG}@host/x",
        f"see http://me:{LONG}/x@host/x",
        f"tokens=[{'a,' * 2000}{PW}]",
        # Addresses
        f"failed for me:{PW}@host/x",
        f"me:{PW}@tcp(host:3306)/db",
        f"http:/me:{PW}@h",
        f"http:\\\\me:{PW}@h",
        f"http:\\/\\/me:{PW}@h",
        f"jdbc:oracle:thin:me/{PW}@h",
        f"ftp://{PW}@h",
        f"https://hooks.slack.com/services/T0/B0/{PW}",
        f"https://discord.com/api/webhooks/1/{PW}",
        f"webhook_url=https://x.org/{PW}",
        # Queries, and addresses within addresses
        f"http://h/?token[]={PW}",
        f"http://h/?token%5B%5D={PW}",
        f"http://h/?auth[token]={PW}",
        f"http://h/x;jsessionid={PW}",
        f"http://h/?next={quote(f'http://me:{PW}@host', safe='')}",
        f"http://h/?next={quote(quote(f'http://me:{PW}@host', safe=''), safe='')}",
        f"mssql+pyodbc:///?odbc_connect={quote_plus(ODBC)}",
        f"PWD={{a;b{PW}}};UID=me",
        # Names and values
        f"+dataset.login=me:{PW}",
        f"smtp_pass={PW}",
        f"kennwort: {PW}",
        f"contrasen\u0303a={PW}",
        f"<password>{PW}</password>",
        f"<a:password x='1'><![CDATA[{PW}]]></a:password>",
        f'<property name="password" value="{PW}"/>',
        json.dumps({"name": "db_password", "value": PW}),
        f"('password', '{PW}')",
        f'("Authorization", "{PW}")',
        # Commands
        f"curl -u me:{PW} http://h",
        f"curl --user 'me:{PW}' http://h",
        f"curl -ume:{PW} http://h",
        f"mysql --password '{PW}' db".replace("'", ""),
        f"machine h login me password {PW}",
        f"CREATE USER me IDENTIFIED BY '{PW}'",
        f"ALTER ROLE me WITH PASSWORD '{PW}'",
        # Lines that YAML has folded
        f"password: correct horse\n  {PW}\nb: 1",
        f"a:\n- password: 'x\n\n    {PW}'\n  b: 1\n",
    ],
)
def test_a_secret_in_a_text(text: str) -> None:
    told = masked_text(text)
    assert PW not in told
    assert "aB3-" not in told
    assert "***" in told
    assert masked_text(told) == told
    assert is_masked(told)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (f"http://me:hunter2 {PW}@h/a", "http://me:***@h/a"),
        (f'http://me:a"{PW}@h/a', "http://me:***@h/a"),
        (f"http://me:<a>@{PW}@h/a", "http://me:***@h/a"),
        (f"http://me:a {PW}/b@h", "http://me:***@h"),
        (f"dataset.url=http://me:a {PW}@h/a", "dataset.url=http://me:***@h/a"),
        (f"dataset.url='http://me:a {PW}@h/a'", "dataset.url='http://me:***@h/a'"),
        (f"x=[http://me:a {PW}@h,http://you:{PW} b@h]", "x=[http://me:***@h,http://you:***@h]"),
        (f"me:{PW}@host", "me:***@host"),
        (f"dataset.url=me:{PW}@host/a", "dataset.url=me:***@host/a"),
    ],
)
def test_a_value_that_is_an_address_as_a_whole(value: str, told: str) -> None:
    assert masked([value]) == [told]
    assert masked({"a": value}) == {"a": told}
    assert masked([told]) == [told]
    assert is_masked(told)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (("Password", PW), ("Password", "***")),
        ({"login": f"me:{PW}"}, {"login": "me:***"}),
        (["--password", PW, "b"], ["--password", "***", "b"]),
        ({"name": "password", "value": PW}, {"name": "password", "value": "***"}),
        ([("Authorization", PW)], [("Authorization", "***")]),
        (["token", "cells"], ["token", "cells"]),
        ({"name": "val/seg", "value": "a"}, {"name": "val/seg", "value": "a"}),
        ({"user": "me", "login": "1000:1000"}, {"user": "me", "login": "1000:1000"}),
    ],
)
def test_forms_of_data(data: object, told: object) -> None:
    assert masked(data) == told


@pytest.mark.parametrize(
    "text",
    [
        "at 12:30@lab the a:b@c", "mailto:me@x.org/a", "Contact:me@host.org/x",
        "registry:5000/img@sha256:abc", "img:tag@sha256:abcd/", "git@github.com:me/x.git",
        "see http://host:8080/a (me@x.org)", "ftp://anonymous@h/x", "//server/data@2020",
        "C:\\data\\a: x@y", "full_key: model", "raw_key=raw label_key=labels sort_key: name",
        "first_pass=adam low_pass=3", "Session: started", "user: me", "curl -u 1000:1000",
        "docker run -u a:b", "('token', 3)", "['token', 'cells']", "the password is wrong",
        "login failed: password expected", "default login for me", "<b>token</b>", "a%20b%3Dc",
        "https://hooks.slack.com/docs", "10:20:30 loss: 0.5", "lr=1e-3 betas=[0.9,0.999]",
    ],
)  # fmt: skip
def test_texts_that_only_look_like_secrets_do_not_change(text: str) -> None:
    assert masked_text(text) == text
    assert masked([text]) == [text]
    assert not is_masked(text)


def test_learnt_secrets_are_found_in_folded_lines_and_with_escaped_signs() -> None:
    secret = "correct horse battery staple " * 4 + "\"q\" 'tail' <&>"
    learn(["+a.password=" + secret, f"url=http://me:{LONG}@h"])
    folded = OmegaConf.to_yaml({"note": "x " * 40 + secret})
    assert folded.count("\n") > 2
    for text in (folded, json.dumps([secret]), repr(secret), quote_plus(secret)):
        assert "horse" not in masked_text(text)
        assert "tail" not in masked_text(text)
    assert masked_text(f"refused: {LONG}.") == "refused: ***."


#: Beginnings of each form, which a file may repeat without an end.
HOSTILE = (
    "http://u:", "//", "//a@", "//${", "\\\\a:", "http:/a:", "a:b@", "//a.", "oracle:a:", "?a=",
    "?a={", "?a[", "%3A", "%25", "password=[", "password={", "password=", "password: a\n ",
    "password:\n", "- password:\n", "login=a:", "login=", "=:", "'", "x='", 'token="\\', "sk-",
    "-sk-", "-eyJ-", "Basic ", "-----BEGIN ", "<a ", "<password>", "<password><![CDATA[", "('a', '",
    "name='a' value='", "machine a ", "default login a ", "identified by ", "password '",
    "curl -u ", "--password ", "a   ", "a", " ", "\n", "a.b.", "pass_", "A", "aA",
)  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_the_time_grows_with_the_length_alone(text: str) -> None:
    """In quadratic time, this test would take minutes."""
    started = time.monotonic()
    for ending in ("", "@", "'"):
        for whole in (False, True):
            masked_text(text * (100_000 // len(text)) + ending, whole)
    assert time.monotonic() - started < 10


def test_keys_within_keys_do_not_take_longer() -> None:
    stairs = "".join(" " * depth + "password: a\n" for depth in range(400))
    started = time.monotonic()
    told = masked_text(stairs + "\n" * 400_000)
    assert time.monotonic() - started < 10
    assert told.startswith("password: ***")
    assert "password: a" not in told
