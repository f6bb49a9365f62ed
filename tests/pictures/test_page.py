import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from unet_exp.pictures.page import COLUMNS, Page, Plots, finished, printable, quiet, write_png


def test_a_picture_keeps_its_pixels() -> None:
    image = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    page = Page(1, 2, 60, 80, "title")
    page.show(0, 1, image, "name")
    x, y = page.corner(0, 1)
    drawn = finished(page, None)
    assert drawn.shape == (page.total_height, page.total_width, 3)
    assert (drawn[y : y + 60, x : x + 80] == image).all()


def test_numbers_span_the_colours() -> None:
    page = Page(1, 1, 60, 80)
    page.show_numbers(0, 0, np.tile(np.linspace(0, 2, 80), (60, 1)), "viridis", 0, 2)
    x, y = page.corner(0, 0)
    drawn = finished(page, None)
    assert drawn[y, x].tolist() == [68, 1, 84]
    assert drawn[y, x + 79].tolist() == [253, 231, 36]


def test_nothing_is_drawn_past_the_edge() -> None:
    page = Page(2, 3, 60, 260, "A title " * 60, entries=6)
    for column in range(3):
        page.show_numbers(1, column, np.ones((60, 260)), "magma", 0, 12.345, "name")
        page.legend(1, column, {f"entry {n}": (1, 2, 3) for n in range(6)})
    drawn = finished(page, None)
    for edge in (drawn[0], drawn[-1], drawn[:, 0], drawn[:, -1]):
        assert (edge == 255).all()


def test_a_title_is_text_whatever_it_holds() -> None:
    page = Page(1, 1, 60, 300, "$\\frac_{ ^ 100% 細胞")
    finished(page, None)
    assert printable("a細b") == "a?b"


def test_the_file_is_what_was_drawn(tmp_path: Path) -> None:
    page = Page(1, 1, 40, 50, "t")
    path = tmp_path / "new" / "folder" / "page.png"
    drawn = finished(page, path)
    read = cv2.imread(str(path))
    assert read is not None
    assert (read[..., ::-1] == drawn).all()
    assert [p.name for p in path.parent.iterdir()] == ["page.png"]


def test_a_failed_write_keeps_the_old_file_and_leaves_no_other(tmp_path, monkeypatch) -> None:
    path = tmp_path / "page.png"
    path.write_bytes(b"old")

    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        write_png(np.zeros((4, 4, 3), np.uint8), path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_threads_draw_at_the_same_time() -> None:
    results: list[np.ndarray] = []

    def draw() -> None:
        page = Page(1, 1, 40, 50, "title")
        page.show_numbers(0, 0, np.eye(40, 50), "magma", 0, 1, "name")
        results.append(finished(page, None))

    threads = [threading.Thread(target=draw) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    assert all((result == results[0]).all() for result in results)


@pytest.mark.parametrize("count", range(8))
def test_plots_fill_rows_of_three_and_stay_on_the_page(count: int) -> None:
    page = Plots(count, "title", 60, 250)
    boxes = set()
    for index in range(count):
        axes = page.plot(index, f"plot {index}", margin=10)
        quiet(axes, "step")
        box = axes.get_position()
        assert 0 < box.x0 < box.x1 < 1
        assert 0 < box.y0 < box.y1 < 1
        boxes.add((round(box.x0, 6), round(box.y0, 6)))
    assert len(boxes) == count
    assert len({x for x, _ in boxes}) == min(count, COLUMNS)
    drawn = finished(page, None)
    for edge in (drawn[0], drawn[-1], drawn[:, 0], drawn[:, -1]):
        assert (edge == 255).all()


def test_a_page_without_plots_says_so() -> None:
    said = Plots(0, "title", nothing="No score.").figure.texts
    assert "No score." in [text.get_text() for text in said]
    assert "No score." not in [t.get_text() for t in Plots(1, "", nothing="No score.").figure.texts]
