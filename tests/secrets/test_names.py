"""Which names are those of secrets, and that none of our options has such a name."""

from collections.abc import Iterator
from typing import Any

import hydra
import pytest
from omegaconf import OmegaConf

from unet_exp.configuration import groups, schema
from unet_exp.secrets.masking import masked
from unet_exp.secrets.names import is_login, is_secret_field, is_secret_name


@pytest.mark.parametrize(
    "name",
    [
        "login_pass", "smtp_pass", "SMTP_PASS", "kaggle_key", "KAGGLE_KEY", "client_key", "appKey",
        "consumer_key", "app_key", "comet.key_", "hmac", "sid", "session", "sessionid", "PHPSESSID",
        "jsessionid", "auth_code", "otp", "pin", "pswd", "psw", "passwort", "kennwort", "mdp",
        "mot_de_passe", "contraseña", "contrasen\u0303a", "CONTRASEÑA", "密码", "webhook_url",
    ],
)  # fmt: skip
def test_names_of_secrets(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "sort_key", "full_key", "raw_key", "label_key", "monitor", "first_pass", "low_pass",
        "num_pass", "bypass", "compass", "pin_memory", "session_name", "key_path", "keyword",
        "monkey", "sidecar", "spin", "desktop_session", "url", "",
    ],
)  # fmt: skip
def test_names_of_other_things(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("passwd", True), ("DB_PASSWORD", True), ("apiKey", True), ("aws_secret_access_key", True),
        ("X-Amz-Security-Token", True), ("hydra.launcher.token", True), ("cookie", True),
        ("monitor.metric", False), ("weight_map", False), ("tokenizer", False), ("keys", False),
        ("secret_name", False), ("authors", False), ("compass", False), ("passes", False),
    ],
)  # fmt: skip
def test_names(name: str, secret: bool) -> None:
    assert is_secret_name(name) is secret


def test_fields_of_addresses() -> None:
    assert all(
        map(is_secret_field, ("token[]", "token%5B%5D", "auth[token]", "auth[user]", "code"))
    )
    assert not any(map(is_secret_field, ("page[size]", "a%5Bb%5D", "codec")))
    assert [is_login(name) for name in ("dataset.login", "user", "users")] == [True, True, False]


def leaves(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from leaves(item, f"{key}.{name}")
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from leaves(item, f"{key}[{place}]")
    else:
        yield key, value


@pytest.mark.parametrize("command", ["train", "evaluate", "predict"])
def test_nothing_that_a_command_composes_is_masked(command: str) -> None:
    schema.register()
    with hydra.initialize_config_dir(str(groups.CONF), version_base="1.3"):
        cfg = hydra.compose(command, return_hydra_config=True)
    plain = OmegaConf.to_container(cfg, resolve=False)
    assert len(list(leaves(plain))) > 50
    assert masked(plain) == plain


def test_nothing_in_conf_is_masked_whatever_its_value() -> None:
    names = set()
    for path in groups.CONF.rglob("*.yaml"):
        plain = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
        assert masked(plain) == plain
        names |= {key for key, _ in leaves(plain)}
    assert len(names) > 100
    assert [name for name in names if is_secret_name(name)] == []
