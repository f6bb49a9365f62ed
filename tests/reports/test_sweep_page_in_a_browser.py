"""The page of a sweep in headless Chromium, opened from a file."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.browser import faults, opened
from tests.fixtures.drawn_sweep import write

from unet_exp.records.sweep import read_sweep
from unet_exp.reports.sweep_page import write_page


@contextmanager
def shown(browser: Any, folder: Path, width: int = 1400, **options: Any) -> Iterator[Any]:
    """Open the page of a sweep."""
    with opened(browser, write_page(read_sweep(folder)), width, **options) as page:
        yield page


def names(page: Any) -> str:
    """The jobs in the order of the table's rows."""
    cells = page.locator("#jobs tbody tr td:first-child").all_inner_texts()
    return "".join(cell[0] for cell in cells)


def place(page: Any, line: str, part: float = 0.5) -> tuple[float, float]:
    """A place on the screen that a curve passes through, as a part of its length."""
    x, y = page.locator(line).evaluate(
        """(path, part) => {
            path.ownerSVGElement.scrollIntoView({ block: "center" });
            const at = path.getPointAtLength(part * path.getTotalLength());
            const place = at.matrixTransform(path.getScreenCTM());
            return [place.x, place.y];
        }""",
        part,
    )
    return x, y


def test_a_column_sorts_and_a_curve_selects(browser: Any, drawn: Path) -> None:
    with shown(browser, drawn) as page:
        # The best first; those without a score last.
        assert names(page) == "1302546"
        depth = page.get_by_role("columnheader", name="depth")
        depth.get_by_role("button").click()
        assert (names(page), depth.get_attribute("aria-sort")) == ("0231564", "ascending")
        depth.get_by_role("button").click()
        assert (names(page), depth.get_attribute("aria-sort")) == ("4156023", "descending")

        assert page.locator("#card").is_hidden()
        page.mouse.click(*place(page, "#curves path[data-job='2']"))
        assert page.locator("#card h3").inner_text() == "Job 2"
        for view in ("#jobs tr", "#parallel path", "#scatter circle", "#repeats circle"):
            chosen = page.locator(f"{view}.selected").all()
            assert {shown.get_attribute("data-job") for shown in chosen} == {"2"}, view
        page.keyboard.press("Escape")
        assert page.locator(".selected").count() == 0


def test_a_curve_that_is_raised_during_a_click_is_selected(browser: Any, drawn: Path) -> None:
    with shown(browser, drawn) as page:
        page.mouse.move(*place(page, "#curves path[data-job='2']"))
        page.mouse.down()
        # As hovering does at the next frame, which may come between press and release.
        page.evaluate(
            """() => {
                const path = document.querySelector("#curves path[data-job='2']");
                path.parentNode.append(path);
            }"""
        )
        page.mouse.up()
        assert page.locator("#card h3").inner_text() == "Job 2"


def test_the_hovered_job_is_marked_and_described(browser: Any, drawn: Path) -> None:
    with shown(browser, drawn) as page:
        # Where it reaches the score; before that it runs beside job 5.
        page.mouse.move(*place(page, "#parallel path[data-job='2']", 0.99))
        assert page.locator("#tip").inner_text().startswith("job 2 SEG 0.2500")
        assert page.locator("#jobs tr.hot td").first.inner_text() == "2"
        page.mouse.move(*place(page, "#curves path[data-job='1']", 1))
        assert page.locator("#tip").inner_text().startswith("job 1 val/seg 0.75 at step 40")


def test_a_range_on_an_axis_keeps_the_jobs_within(browser: Any, drawn: Path) -> None:
    with shown(browser, drawn) as page:
        x, y = place(page, "#parallel path[data-job='1']", 1)  # the best, at the axis of scores
        _, low = place(page, "#parallel path[data-job='0']", 1)
        page.mouse.move(x, y - 8)
        page.mouse.down()
        page.mouse.move(x, low - 5)
        page.mouse.up()
        visible = page.locator("#jobs tbody tr:visible td:first-child").all_inner_texts()
        assert [name[0] for name in visible] == ["1", "3"]
        assert page.locator("#all").inner_text() == "Show all (now 2 of 7)"
        assert page.locator("#card").is_hidden()  # a drag is no click
        page.evaluate("document.querySelector('#parallel svg').id = 'wide'")
        page.set_viewport_size({"width": 1000, "height": 900})
        page.wait_for_selector("#wide", state="detached")  # all is drawn anew
        assert page.locator("#parallel .range").count() == 1
        assert page.locator("#scatter circle:not(.out)").count() == 2 * 3
        page.mouse.click(*place(page, "#parallel path[data-job='1']", 1))
        assert page.locator("#jobs tbody tr:visible").count() == 7


def test_a_failed_job_shows_its_error_and_its_command(browser: Any, drawn: Path) -> None:
    with shown(browser, drawn) as page:
        row = page.locator("#jobs tbody tr", has_text="failed")
        row.focus()
        page.keyboard.press("Enter")
        error = "ValueError: A side of 48 pixels <cannot> pass 9 poolings."
        assert page.locator("#card .error").inner_text() == error
        command = "python train.py dataset=hela 'name='\"'\"'a b'\"'\"'' model.depth=9"
        assert page.locator("#card code").inner_text().startswith(command)
        page.locator("#card button.copy").click()
        page.locator("#card button.copy", has_text="copied").wait_for()


def test_curves_of_another_quantity_against_seconds(browser: Any, drawn: Path) -> None:
    with shown(browser, drawn) as page:
        before = page.locator("#curves path[data-job='1']").get_attribute("d")
        page.locator("#curves select").select_option("val/loss")
        after = page.locator("#curves path[data-job='1']").get_attribute("d")
        assert after != before
        page.get_by_role("button", name="seconds").click()
        assert page.locator("#curves svg text", has_text="seconds").count() == 1


def test_an_override_cannot_inject(browser: Any, drawn: Path) -> None:
    strange = """<img src=x onerror="alert('x')">"""
    content = json.loads((drawn / "sweep.json").read_text())
    for job in content["jobs"]:
        job["overrides"].append(f"name='{strange}{job['folder']}'")
    content["command"] = strange
    write(drawn / "sweep.json", content)
    with shown(browser, drawn) as page:
        page.locator("#jobs tbody tr").first.click()
        assert strange in page.locator("#card dl").inner_text()
        assert page.locator("img").count() == 4  # of the finished ones


@pytest.mark.parametrize("width", [360, 420, 900])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_narrow_screen_and_a_dark_one(
    browser: Any, drawn: Path, width: int, scheme: str
) -> None:
    with shown(browser, drawn, width, color_scheme=scheme) as page:
        assert page.evaluate("document.documentElement.scrollWidth") == width
        dark = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        shades = [int(shade) for shade in dark[4:-1].split(",")]
        assert (max(shades) < 60) == (scheme == "dark")


def test_a_sweep_without_finished_jobs_has_a_page_too(browser: Any, drawn: Path) -> None:
    for number in range(6):
        shutil.rmtree(drawn / str(number))
    with shown(browser, drawn) as page:
        assert page.locator("#jobs tbody tr").count() == 7
        for part in ("parallel", "scatter", "curves", "repeats", "pictures", "pairs", "importance"):
            assert page.locator(f"#{part}").is_hidden(), part


def test_axe_finds_no_serious_fault(browser: Any, compared: Path) -> None:
    assert faults(browser, write_page(read_sweep(compared)), color_scheme="dark") == []


def test_settings_that_share_seeds_are_compared(browser: Any, compared: Path) -> None:
    with shown(browser, compared) as page:
        page.wait_for_selector("#pairs figure.chart svg")
        (row,) = page.locator("#pairs > .scroll tbody tr").all_inner_texts()
        assert row.split() == ["depth=3", "-0.2500", "-0.2500", "to", "-0.2500", "2"]
        page.wait_for_selector("#importance figure.chart svg")
