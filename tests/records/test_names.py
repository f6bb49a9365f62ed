"""Only ``unet_exp.records`` names the files of a record."""

import ast
from pathlib import Path

import pytest

from unet_exp.records.evaluation_folder import EvaluationFolder
from unet_exp.records.run_folder import RunFolder
from unet_exp.records.sweep_folder import SweepFolder

SOURCE = Path(__file__).parents[2] / "src"
#: The names that are no common words or suffixes, such as "stop" and ".lock".
NAMES = {
    path.name
    for folder in (RunFolder(Path("r")), SweepFolder(Path("s")), EvaluationFolder(Path("e")))
    for path in vars(folder).values()
    if "." in path.name or path.name == "checkpoints"
} - {".lock"}
MODULES = sorted(
    path for path in SOURCE.rglob("*.py") if path.parent != SOURCE / "unet_exp" / "records"
)


def names_in(source: str) -> list[str]:
    """The texts in code that are the name of a file of a record, or a path to one."""
    nodes = ast.walk(ast.parse(source))
    texts = [n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    return [text for text in texts if NAMES.intersection(text.split("/")) and " " not in text]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_no_other_module_names_a_file_of_a_record(path: Path) -> None:
    assert names_in(path.read_text()) == []


def test_names_are_found() -> None:
    assert {"summary.json", "best.ckpt", ".hydra", "sweep.json"} <= NAMES
    assert names_in('folder / "summary.json"') == ["summary.json"]
    assert names_in('folder.glob("*/checkpoints/best.ckpt")') == ["*/checkpoints/best.ckpt"]
