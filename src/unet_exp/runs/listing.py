"""Which trainings a folder holds: a run itself, or the jobs of a sweep."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from unet_exp.files import read_bytes, read_json
from unet_exp.secrets.masking import masked_word

#: What a training leaves in its folder, finished or not.
TRACES = ("checkpoints", "summary.json", "train.log")
#: Bytes of a list of overrides up to which it is read.
LARGEST_LIST = 2**20


@dataclass
class Run:
    """A training, named as its results are, and what scoring it gave: scores, or an error."""

    name: str
    folder: Path
    config: dict[str, Any] = field(default_factory=dict)
    scores: dict[str, float] = field(default_factory=dict)
    images: int = 0
    error: str = ""

    @property
    def checkpoint(self) -> Path:
        """The best checkpoint."""
        return self.folder / "checkpoints" / "best.ckpt"

    @property
    def state(self) -> str:
        """What ``summary.json`` says of the training; empty where nothing can be read."""
        return str(read_json(self.folder / "summary.json").get("state", ""))

    @property
    def overrides(self) -> list[str]:
        """The words that it was started with, but for ``hydra.``'s; none where unknown."""
        path = self.folder / ".hydra" / "overrides.yaml"
        try:
            # Any other loader copies what aliases and merges repeat, as often as they say.
            text = read_bytes(path, LARGEST_LIST).decode("utf-8")
            words = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - builds texts alone
        except (OSError, ValueError, yaml.YAMLError, RecursionError):
            return []
        listed = words if isinstance(words, list) else []
        return [masked_word(word) for word in listed if isinstance(word, str)]


def find_runs(given: Any) -> list[Run]:
    """Return the runs that ``run=`` names: a run folder, a sweep folder, or a list of such.

    Raises
    ------
    FileNotFoundError
        If a folder is missing, or holds no run.
    ValueError
        If a run is named twice, or none is.
    """
    named = [given] if isinstance(given, str | int) else list(given)
    folders = [folder for one in named for folder in runs_in(Path(str(one)))]
    places = [folder.resolve() for folder in folders]
    if not folders or len(set(places)) < len(places):
        fact = "names a run twice" if folders else "names no run"
        raise ValueError(f"run={given} {fact}. Give run=FOLDER, or run=[FOLDER,FOLDER], each once.")
    return [Run(name, f) for name, f in zip(short_names(places), folders, strict=True)]


def runs_in(folder: Path) -> list[Path]:
    """Return a run folder itself, or the jobs of a sweep folder in their order.

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or no run in it.
    """
    if not folder.is_dir():
        raise FileNotFoundError(
            f"No run folder at {folder}. Runs lie in outputs/runs/NAME/STAMP, sweeps in "
            "outputs/sweeps/NAME/STAMP."
        )
    if is_run(folder):
        return [folder]
    jobs = [path for path in folder.iterdir() if path.is_dir() and is_run(path)]
    if not jobs:
        raise FileNotFoundError(
            f"{folder} is neither a run nor a sweep: there are no checkpoints in it, and no run "
            "folders. Give outputs/runs/NAME/STAMP or outputs/sweeps/NAME/STAMP."
        )
    return sorted(jobs, key=lambda job: (len(job.name) if job.name.isdecimal() else 99, job.name))


def is_run(folder: Path) -> bool:
    """Tell whether a training wrote to this folder."""
    return any((folder / trace).exists() for trace in TRACES)


def short_names(paths: Sequence[Path]) -> list[str]:
    """Name folders by as many of their last parts as tell them apart.

    >>> short_names([Path("a/x/0"), Path("a/x/1")]), short_names([Path("a/0"), Path("b/0")])
    (['0', '1'], ['a_0', 'b_0'])
    """
    names = [""] * len(paths)
    for parts in range(1, 1 + max(len(path.parts) for path in paths)):
        names = ["_".join(path.parts[-parts:]) for path in paths]
        if len(set(names)) == len(names):
            break
    return names
