"""Reports of runs and evaluations in headless Chromium."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.browser import faults, opened
from tests.fixtures.drawn_sweep import write

from unet_exp.files import write_atomically
from unet_exp.records.evaluation_folder import EvaluationFolder
from unet_exp.records.run_folder import RunFolder
from unet_exp.reports.evaluation_page import write_evaluation_page
from unet_exp.reports.run_page import write_run_page


@pytest.mark.parametrize(("width", "scheme"), [(400, "dark"), (1000, "light"), (1600, "light")])
def test_a_run_on_screens(browser: Any, drawn_run: Path, width: int, scheme: str) -> None:
    path = write_run_page(RunFolder(drawn_run))
    with opened(browser, path, width, color_scheme=scheme) as page:
        assert page.evaluate("document.documentElement.scrollWidth") == width
        page.wait_for_selector("figure.chart svg")
        figures = page.locator("figure.chart")
        assert page.locator("figure.chart svg[role=img]").count() == figures.count() > 6
        assert page.locator("figure.chart svg text", has_text="best").count() > 0
        shade = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        assert (max(map(int, shade[4:-1].split(","))) < 60) == (scheme == "dark")


def test_axe_finds_no_serious_fault(browser: Any, drawn_run: Path) -> None:
    assert faults(browser, write_run_page(RunFolder(drawn_run)), color_scheme="dark") == []
    evaluation = EvaluationFolder(drawn_run / "validation")
    assert faults(browser, write_evaluation_page(evaluation), color_scheme="light") == []


def test_a_picture_grows_and_a_command_is_copied(browser: Any, drawn_run: Path) -> None:
    with opened(browser, write_run_page(RunFolder(drawn_run))) as page:
        picture = page.locator("button.picture").first
        picture.focus()
        page.keyboard.press("Enter")
        assert page.locator("#large img").is_visible()
        page.keyboard.press("Escape")
        assert page.locator("#large").is_hidden()
        page.locator("button[data-copy]").click()
        page.locator("button[data-copy]", has_text="copied").wait_for()


def test_the_numbers_of_a_chart_are_a_table(browser: Any, drawn_run: Path) -> None:
    with opened(browser, write_run_page(RunFolder(drawn_run))) as page:
        chart = page.locator("figure.chart", has_text="0.75 at the best step").first
        chart.locator("summary").focus()
        page.keyboard.press("Enter")
        rows = chart.locator("tbody tr").all_inner_texts()
        assert [row.split() for row in rows] == [["10", "0.25"], ["20", "0.75"], ["30", "0.5"]]


def test_a_running_page_loads_itself_again(browser: Any, drawn_run: Path) -> None:
    summary = json.loads((drawn_run / "summary.json").read_text())
    path = write_run_page(RunFolder(drawn_run))
    hurried = path.read_text(encoding="utf-8").replace('data-again="20"', 'data-again="0.2"')
    running = hurried.replace('data-state="finished" data-w', 'data-state="running" data-w')
    path.write_text(running, encoding="utf-8")
    with opened(browser, path) as page:
        write(drawn_run / "summary.json", {**summary, "score": 0.875})
        # Whole at once, as a training writes it: half a page would not load itself again.
        write_atomically(path, hurried.replace("0.7500", "0.8750"))
        page.locator(".verdict", has_text="SEG 0.8750").wait_for()
        page.evaluate("window.mark = 1")
        page.wait_for_timeout(500)
        assert page.evaluate("window.mark") == 1  # a finished one stays
        path.write_text(
            running.replace('data-silence="900"', 'data-silence="-1"'), encoding="utf-8"
        )
        page.reload()
        assert page.locator("#silent").is_visible()


def test_texts_of_records_do_nothing(browser: Any, drawn_run: Path) -> None:
    summary = json.loads((drawn_run / "summary.json").read_text())
    strange = """</script><img src=x onerror="alert('x')"><script>alert(1)</script>"""
    write(drawn_run / "summary.json", {**summary, "name": strange, "command": strange})
    with opened(browser, write_run_page(RunFolder(drawn_run))) as page:
        assert page.locator("h1").inner_text() == strange


def test_a_script_that_is_not_of_the_page_does_not_run(browser: Any, drawn_run: Path) -> None:
    page = browser.new_page()
    page.goto(write_run_page(RunFolder(drawn_run)).as_uri())
    ran = page.evaluate(
        """() => {
            const added = document.createElement("script");
            added.textContent = "window.ran = true";
            document.body.append(added);
            return Boolean(window.ran);
        }"""
    )
    page.close()
    assert not ran


def test_on_paper(browser: Any, drawn_run: Path) -> None:
    with opened(browser, write_run_page(RunFolder(drawn_run)), color_scheme="dark") as page:
        page.emulate_media(media="print")
        shade = page.evaluate("getComputedStyle(document.body).color")
        assert max(map(int, shade[4:-1].split(","))) < 60
        assert page.locator("button[data-copy]").is_hidden()
