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


def test_very_many_values_are_cut_short(tmp_path: Path) -> None:
    assert len(read(tmp_path, "\n".join(f"a{n}: 1" for n in range(6000)))) == MOST_VALUES


def test_a_long_key_is_not_repeated_for_each_of_its_values(tmp_path: Path) -> None:
    values = ", ".join(f"a{n}: 1" for n in range(1000))
    found = read(tmp_path, f"seed: 1\n? {'k' * 2**18}\n: {{{values}}}")
    assert found["seed"] == "1"
    assert sum(map(len, found)) < 2**20


@pytest.mark.parametrize(
    "text", ["[", "a: &a [*a]", "a: &a 1\nb: *a", "just text", "\x00", "!!python/name:os.system"]
)
def test_files_that_are_no_configuration_read_as_empty(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == {}
