"""docs/architecture.md names rooms and modules that exist."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text()
SOURCE = ROOT / "src" / "unet_exp"


def test_the_table_lists_all_layers_from_high_to_low() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = next(c["layers"] for c in settings["contracts"] if c["type"] == "layers")
    expected = [name for layer in layers for name in layer.split(" | ")]
    rows = re.findall(r"^\| (`.*?) \|", PAGE, re.M)
    listed = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert listed == expected


def test_each_module_that_the_page_names_exists() -> None:
    rooms = {path.name for path in SOURCE.iterdir() if path.is_dir()}
    names = re.findall(r"\b([a-z_]+)\.([a-z_]+)\b", PAGE)
    modules = {(room, module) for room, module in names if room in rooms and module != "csv"}
    assert len(modules) > 20
    missing = [
        f"{room}.{name}"
        for room, name in modules
        if not (SOURCE / room / f"{name}.py").exists() and not (SOURCE / room / name).is_dir()
    ]
    assert not missing


def test_prediction_imports_nothing_that_few_images_need() -> None:
    """Lightning and torchmetrics would take as long to import as all the rest together.

    Zarr takes a tenth of a second, and is imported where an array of it is opened.
    """
    code = (
        "import sys, unet_exp.prediction.segment_files\n"
        "print(*{'lightning', 'torchmetrics', 'matplotlib', 'albumentations', 'zarr'}"
        " & {*sys.modules})"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
