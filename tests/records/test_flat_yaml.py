import time
from pathlib import Path

import pytest

from unet_exp.records.flat_yaml import MOST_VALUES, read_flat


def read(tmp_path: Path, text: str) -> dict[str, str]:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    return read_flat(path)


def test_nested_values_have_dotted_keys(tmp_path: Path) -> None:
    found = read(tmp_path, "a: {b: 1, c: [x, y], d: {}}\ne: [{f: 2}]\ntoken: abc\n")
    expected = {"a.b": "1", "a.c": "[x, y]", "a.d": "{}", "e[0].f": "2", "token": "***"}
    assert found == expected


def test_aliases_that_multiply_do_not_take_long(tmp_path: Path) -> None:
    lines = ["a0: &a0 {x: 1, y: 2}"]
    lines += [f"a{n}: &a{n} {{x: *a{n - 1}, y: *a{n - 1}}}" for n in range(1, 30)]
    started = time.monotonic()
    assert len(read(tmp_path, "\n".join(lines))) == MOST_VALUES
    assert time.monotonic() - started < 20


@pytest.mark.parametrize(
    "text", ["[", "a: &a [*a]", "just text", "\x00", "!!python/name:os.system"]
)
def test_what_is_no_configuration_is_empty(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == {}
