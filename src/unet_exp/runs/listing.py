"""Find the runs that a path names: a run folder, or the jobs of a sweep."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from unet_exp.records.run_folder import RunFolder


def find_runs(given: Any) -> dict[str, RunFolder]:
    """Return the runs that ``run=`` names (a run, a sweep, or a list of these), by short names.

    Raises FileNotFoundError if a folder is missing or holds no run, and ValueError if a run is
    named twice, or if there is none.
    """
    named = [given] if isinstance(given, str | int) else list(given)
    folders = [folder for one in named for folder in runs_in(Path(str(one)))]
    resolved = [folder.path.resolve() for folder in folders]
    if not folders or len(set(resolved)) < len(resolved):
        fact = "names a run twice" if folders else "names no run"
        raise ValueError(f"run={given} {fact}. Give run=FOLDER, or run=[FOLDER,FOLDER], each once.")
    return dict(zip(short_names(resolved), folders, strict=True))


def runs_in(path: Path) -> list[RunFolder]:
    """Return a run folder itself, or the jobs of a sweep folder in their order.

    Raises FileNotFoundError if there is no such folder, or no run in it.
    """
    if not path.is_dir():
        raise FileNotFoundError(
            f"No run folder at {path}. Runs lie in outputs/runs/NAME/STAMP, sweeps in "
            "outputs/sweeps/NAME/STAMP."
        )
    if RunFolder(path).holds_run():
        return [RunFolder(path)]
    jobs = [p for p in path.iterdir() if p.is_dir() and RunFolder(p).holds_run()]
    if not jobs:
        raise FileNotFoundError(
            f"{path} is neither a run nor a sweep: there are no checkpoints in it, and no run "
            "folders. Give outputs/runs/NAME/STAMP or outputs/sweeps/NAME/STAMP."
        )
    jobs.sort(key=lambda job: (len(job.name) if job.name.isdecimal() else 99, job.name))
    return [RunFolder(job) for job in jobs]


def short_names(paths: Sequence[Path]) -> list[str]:
    """Name folders by as few of their last parts as distinguish them.

    >>> short_names([Path("a/x/0"), Path("a/x/1")]), short_names([Path("a/0"), Path("b/0")])
    (['0', '1'], ['a_0', 'b_0'])
    """
    names = [""] * len(paths)
    for parts in range(1, 1 + max(len(path.parts) for path in paths)):
        names = ["_".join(path.parts[-parts:]) for path in paths]
        if len(set(names)) == len(names):
            break
    return names
