"""Each benchmark runs at a small size. No speed is tested."""

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.__main__ import LONG, PARTS, main, write
from benchmarks.measuring import HEADER, Line, Mark, alternate, exponent, over, spread

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("parts", [PARTS, LONG])
def test_benchmarks_run(parts: tuple[str, ...], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *parts, "--quick"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "UNET_EXP_CACHE": str(tmp_path)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    head, rule, *rows = done.stdout.splitlines()
    assert [cell.strip() for cell in head.split("|")[1:4]] == ["part", "case", "ours"]
    assert set(rule) == {"|", "-"}
    for part in parts:
        assert any(row.startswith(f"| {part} ") for row in rows), part


def test_a_spread_is_the_median_with_the_range() -> None:
    assert spread([3.0, 1.0, 2.5]) == "2.50 (1.00 to 3.00)"
    assert spread([1234.0]) == "1,234"


def test_ratios_are_computed_within_a_round() -> None:
    assert over([2.0, 9.0], [1.0, 3.0]) == [2.0, 3.0]
    times = alternate({"a": lambda: None, "b": lambda: None}, 2, least=0)
    assert [len(taken) for taken in times.values()] == [2, 2]


@pytest.mark.parametrize(("warm", "order"), [(True, "aabb" + "abbaab"), (False, "abbaab")])
def test_every_second_round_has_the_reverse_order(warm: bool, order: str) -> None:
    calls: list[str] = []
    functions = {name: lambda name=name: calls.append(name) for name in "ab"}
    alternate(functions, 3, least=0, warm=warm)
    assert "".join(calls) == order


def test_an_exponent_is_the_power_that_fits() -> None:
    assert exponent([1, 2, 4], [3, 12, 48]) == pytest.approx(2)


def test_a_line_reports_whether_its_median_reaches_the_mark() -> None:
    for ratios, mark, said in (
        ([39, 41, 90], Mark(at_least=40), "yes"),
        ([39, 39, 90], Mark(at_least=40), "no"),
        ([1.4, 1.6], Mark(at_most=1.5), "yes"),
        ([1.6], Mark(at_most=1.5), "no"),
        ([1.6], None, ""),
    ):
        assert Line("case", "1 ms", "a / b", ratios, mark).cells()[-1] == said


def test_a_written_table_replaces_the_old_one_and_the_text_below_remains(tmp_path: Path) -> None:
    results = tmp_path / "RESULTS.md"
    for part, ratio in (("one", 1.0), ("two", 2.0)):
        write(results, part, "Told.", [Line("case", "ours", "a / b", [ratio])])
    results.write_text(results.read_text().replace("\n\n## two", "\n\nRemains.\n\n## two"))
    write(results, "one", "Told anew.", [Line("case", "ours", "a / b", [3.0])])
    text = results.read_text()
    assert text.startswith("# Results\n\n## one\n\nTold anew.\n\n")
    assert "3.00" in text
    assert "1.00" not in text
    assert text.index("3.00") < text.index("Remains.") < text.index("## two") < text.index("2.00")


def test_a_section_without_a_table_gets_one_and_the_next_section_remains(tmp_path: Path) -> None:
    results = tmp_path / "RESULTS.md"
    write(results, "two", "Told.", [Line("case", "ours", "a / b", [2.0])])
    two = results.read_text().removeprefix("# Results\n\n")
    results.write_text(f"# Results\n\n## one\n\nRemains.\n\n{two}")
    write(results, "one", "Told anew.", [Line("case", "ours", "a / b", [3.0])])
    text = results.read_text()
    assert text.endswith(f"\n\nRemains.\n\n{two}")
    assert text.count("## one\n") == 1
    assert text.index("Told anew.") < text.index("3.00") < text.index("Remains.")


@pytest.mark.parametrize("part", PARTS)
def test_a_published_section_describes_the_benchmark_as_its_module_does(part: str) -> None:
    text = (ROOT / "benchmarks" / "RESULTS.md").read_text()
    section = re.search(rf"^## {part}\n\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    if not section:
        pytest.skip("It has no published results.")
    described = importlib.import_module(f"benchmarks.{part}").__doc__ or ""
    assert section[1].startswith(f"{described.strip()}\n\n`python -m benchmarks {part}`, ")
    header = re.search(r"^\| case .*", section[1], re.M)
    assert header is not None
    assert tuple(cell.strip() for cell in header[0].strip("|").split("|")) == HEADER


def test_quick_numbers_are_not_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmarks", "growth", "--quick", "--write"])
    with pytest.raises(SystemExit, match="2"):
        main()
    assert "Leave one of them out" in capsys.readouterr().err


def test_other_parts_run_after_one_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []

    def run(words: list[str], check: bool) -> subprocess.CompletedProcess[str]:
        assert not check
        ran.append(words[3:])
        return subprocess.CompletedProcess(words, returncode=words[3] == "gpu")

    monkeypatch.setattr(subprocess, "run", run)
    words = ["gpu", "growth", "--rounds", "2", "--data", "gpu", "--write"]
    monkeypatch.setattr(sys, "argv", ["benchmarks", *words])
    with pytest.raises(SystemExit, match=r"Failed, see above: gpu\."):
        main()
    options = ["--headless", "--rounds", "2", "--data", "gpu", "--write"]
    assert ran == [["gpu", *options], ["growth", *options]]
