"""Draw the pictures of a first training: python docs/pictures/first_run.py RUN_FOLDER.

RUN_FOLDER is that of ``make train``. Writes ``validation.png``, ``learning_curves.png`` and
``report.png`` (the top of the report in a browser) to ``docs/images``.
"""

import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

IMAGES = Path(__file__).parents[1] / "images"
WIDTH, HEIGHT = 900, 820


def main(run: str) -> None:
    pictures = Path(run) / "pictures"
    last = max(pictures.glob("validation_000_step_*.png"))
    report = IMAGES / "report.png"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto((Path(run) / "report.html").resolve().as_uri())
        page.wait_for_timeout(1000)  # the charts are drawn
        page.screenshot(path=report)
        browser.close()
    for source, name in (
        (last, "validation.png"),
        (pictures / "learning_curves.png", "learning_curves.png"),
        (report, "report.png"),
    ):
        # 256 colours make the file a third as large.
        picture = Image.open(source).convert("RGB").quantize(256, dither=Image.Dither.NONE)
        picture.save(IMAGES / name, optimize=True)
        print(f"{IMAGES / name}: {(IMAGES / name).stat().st_size // 1024} kB")


if __name__ == "__main__":
    main(*sys.argv[1:])
