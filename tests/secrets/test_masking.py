"""What counts as a secret, and what does not."""

import json

import pytest
from sqlalchemy.engine import make_url

from unet_exp.secrets.masking import is_masked, learn, masked, masked_text, without_secrets

PW = "s3cr-Et"


@pytest.mark.parametrize(
    "text",
    [
        # Addresses
        f"http://me:{PW}@host/x.zip",
        f"postgresql+psycopg2://me:{PW}@db:5432/study?sslmode=require",
        f"mysql+pymysql://me:{PW}/x@db/study",
        f"redis://:{PW}@host:6379/0",
        f"s3://key:{PW}@bucket/a",
        f"ftp://me:a@{PW}@host",
        f"//me:{PW}@host/x",
        f"https://{PW}@github.com/me/x.git",
        f"https://{PW}:x-oauth-basic@github.com/me/x.git",
        f"https://host/x?a=1&token={PW}#b",
        f"https://host/x?X-Amz-Signature={PW}&X-Amz-Credential={PW}",
        f"https://host/x?sv=1&sig={PW}",
        f"https://host/x?key={PW}",
        f"https://host/x#access_token={PW}",
        f"Max retries exceeded with url: /x?access_token={PW} (Caused by",
        # Overrides
        f"dataset.password={PW}",
        f"+model.api_key='{PW} and more'",
        f"++dataset.options={{user:me,token:{PW}}}",
        f"+x={{a:{{b:[1],secret:'{PW}'}}}}",
        f"+auth=[me,{PW}]",
        f"urls=[http://a/b,http://me:{PW}@host]",
        f"sweep=http://me:{PW}@a,http://me:{PW}@b",
        f"python train.py 'password={PW} more' seed=1",
        # JSON, YAML, Python
        json.dumps({"a": [{"Authorization": f"Bearer {PW}"}]}),
        json.dumps(json.dumps({"token": PW})),
        repr({"client_secret": PW, "n": 1}),
        f"mysql --user me --password {PW} db",
        f"connect(user='me', password='{PW}')",
        f"password: {PW}",
        f"a:\n  api_key: {PW}\n  b: 1\n",
        f"auth:\n- me\n- {PW}\n",
        f"private_key: |\n  first\n  {PW}\n",
        f"login failed for me, password: {PW}",
        f"X-Api-Key: {PW}",
        f"AccountKey={PW};EndpointSuffix=x",
        # Their own form
        "-----BEGIN RSA PRIVATE KEY-----\naB3aB3\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_a_secret_is_masked_and_known_to_be_missing(text: str) -> None:
    told = masked_text(text)
    assert PW not in told
    assert "aB3" not in told
    assert "***" in told
    assert masked_text(told) == told
    assert is_masked(told)


@pytest.mark.parametrize(
    "text",
    [
        "http://host:8080/@scope/x",
        "postgresql://me@host/db",
        "ssh://git@github.com/me/x.git",
        "http://me:${oc.env:PW}@host",
        "password=${oc.env:PW}",
        "token=null password= api_key=???",
        "model.depth=5 optimizer.lr=1e-3 seed=0 sort_key=1 key=a",
        "max_tokens=5 token_count=7 password_file=/run/pw",
        "step 2/4  loss 0.1  val/seg 0.3  1 s, 2 s left",
        "mismatched input: wrong token: '=' at 5",
        "dataset: set\nmonitor:\n  metric: auto\n",
        "a@b.org and c:d@e",
        '{"key": "model.depth", "values": [3, 4]}',
    ],
)
def test_values_that_are_no_secrets_do_not_change(text: str) -> None:
    assert masked_text(text) == text
    assert not is_masked(text)


def test_tokens_are_known_by_their_form() -> None:
    token = "ghp_" + "aB3" * 12
    assert masked_text(f"Bad login ({token}).") == "Bad login (***)."


def test_as_sqlalchemy_masks_addresses() -> None:
    for address in (f"postgresql+psycopg2://me:{PW}@db:5432/study", f"mysql://me:a%40{PW}@h/x?y=1"):
        assert masked_text(address) == make_url(address).render_as_string(hide_password=True)


def test_plain_data_keep_their_form() -> None:
    data = {
        "url": f"http://me:{PW}@host",
        "credentials": {"user": "me", "pin": 1234, "none": None},
        "options": [f"token={PW}", ("a", 1.5)],
        "tokens": 512,
        "depth": 4,
    }
    assert masked(data) == {
        "url": "http://me:***@host",
        "credentials": {"user": "***", "pin": "***", "none": None},
        "options": ["token=***", ("a", 1.5)],
        "tokens": 512,
        "depth": 4,
    }


def test_learnt_secrets_are_masked_even_without_their_name() -> None:
    learn({"url": "http://me:Lear%2FNed1@host", "DB_PASSWORD": "another One", "pw": "abc"})
    assert masked_text("refused: Lear/Ned1, Lear%2FNed1 and 'another One'; abc stays") == (
        "refused: ***, *** and '***'; abc stays"
    )
    # Basic authorisation holds both in one, base64.
    assert masked_text("bWU6TGVhci9OZWQx") == "***"


def test_overrides_that_differ_in_secrets_alone_are_the_same() -> None:
    same = {without_secrets(f"url=http://me:{pw}@host") for pw in (PW, "***", "${oc.env:PW}")}
    assert same == {"url=http://me:***@host"}
    assert (
        without_secrets("password=a")
        == without_secrets("password=${oc.env:A}")
        != without_secrets("seed=1")
    )


@pytest.mark.parametrize(
    "word",
    [
        "dataset.url=http://me:${oc.env:PW}@host/x",
        "dataset.url=http://me:${oc.env:PW}@a/x,http://me:${oc.env:PW}@b/x",
        "dataset.url=https://${oc.env:USER}:${oc.env:PW}@host/x?token=${oc.env:T}&a=b",
        "storage=postgresql+psycopg2://me:${oc.env:DB_PW}@db:5432/x",
        "password=${oc.env:PW}",
    ],
)
def test_references_do_not_change(word: str) -> None:
    assert masked([word]) == [word]
    assert masked({"a": word.partition("=")[2]}) == {"a": word.partition("=")[2]}
