"""The folder of an evaluation: the names and formats of its files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from unet_exp.csv_tables import read_csv, to_csv
from unet_exp.files import read_json, to_json, write_atomically
from unet_exp.numbers import parse_number
from unet_exp.secrets.masking import masked


class EvaluationFolder:
    """The files of scored images, or of several runs that were scored.

    A folder may come from anyone, so files that are missing, damaged or too large count as empty.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        #: Scores, curves, and what was scored.
        self.record = path / "evaluation.json"
        #: A row for each image.
        self.images = path / "per_image.csv"
        #: A row for each object: its image, its kind (such as missed), and its number of pixels.
        self.objects = path / "objects.csv"
        #: A row for each run, if several were scored.
        self.runs = path / "folds.csv"
        self.pictures = path / "pictures"
        self.report = path / "report.html"

    def write_record(self, content: Mapping[str, Any]) -> None:
        """Write ``evaluation.json``."""
        write_atomically(self.record, to_json(dict(content)))

    def write_rows(self, table: Path, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write one of the tables."""
        write_atomically(table, to_csv(rows))

    def read_record(self) -> dict[str, Any]:
        """Return the content of ``evaluation.json``, without secrets."""
        return masked(read_json(self.record))

    def read_rows(self, table: Path) -> list[dict[str, str]]:
        """Return the rows of one of the tables as texts."""
        try:
            return read_csv(table)
        except (OSError, ValueError):
            return []

    def read_images(self) -> list[tuple[str, dict[str, float]]]:
        """Return for each image its name and its numbers."""
        images = []
        for row in self.read_rows(self.images):
            numbers = {key: parse_number(text) for key, text in row.items() if key != "name"}
            known = {key: number for key, number in numbers.items() if number is not None}
            images.append((row.get("name", ""), known))
        return images

    def read_sizes(self) -> dict[str, list[float]]:
        """Return the sizes of the objects in pixels, by kind."""
        sizes: dict[str, list[float]] = {}
        for row in self.read_rows(self.objects):
            if (pixels := parse_number(row.get("pixels"))) and pixels > 0:
                sizes.setdefault(row.get("kind", ""), []).append(pixels)
        return sizes
