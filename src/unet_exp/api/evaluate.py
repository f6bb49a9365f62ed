"""Score trained networks from Python: ``unet_exp.evaluate(run)``."""

import os
from collections.abc import Sequence
from pathlib import Path

from unet_exp.api.job import as_overrides, job
from unet_exp.api.keywords import explain_keywords
from unet_exp.api.run import Run
from unet_exp.evaluation import evaluate as evaluation

Source = str | os.PathLike[str] | Run


@explain_keywords
def evaluate(
    run: Source | Sequence[Source],
    *overrides: str,
    metric: str | Sequence[str] | None = None,
    split: str = "validation",
    tta: str = "none",
    device: str = "auto",
    tile: int | None = None,
    batch_size: int | None = None,
    trust: Sequence[str] = (),
    progress: bool = True,
) -> dict[str, float]:
    """Score a training as ``evaluate.py`` does, with the same record, and return the scores.

    Parameters
    ----------
    run
        The result of :func:`unet_exp.train`, a run folder, a sweep folder, or a list of these; each
        run is scored on its own fold. Or a checkpoint, or several, whose mean prediction is scored.
    overrides
        Overrides of ``evaluate.py``: ``"dataset.root=my_images"``.
    metric
        Metrics to add to those of the training: ``metric=["seg", "average_precision"]``.
    split
        ``validation``, ``train`` or ``test``.
    tta, device, tile, batch_size, trust
        As in :func:`unet_exp.load`.
    progress
        Whether to print the output of the command.

    Returns
    -------
    The scores of all images together by name. For several runs, these are the means.

    Raises FileNotFoundError if there is no such run, and ValueError for a wrong override.
    """
    several = not isinstance(run, str | os.PathLike)
    runs = list(run) if several else [run]
    paths = [str(Path(one).expanduser().absolute()) for one in runs]
    files = all(Path(path).is_file() for path in paths) and bool(paths)
    roots = {one.images for one in runs if isinstance(one, Run)}
    values = {
        "checkpoint" if files else "run": paths if several else paths[0],
        "metric": [metric] if isinstance(metric, str) else metric,
        "split": split,
        "tta": tta,
        "accelerator": device,
        "inference.tile": tile,
        "inference.batch_size": batch_size,
        "trust": list(trust),
    }
    if len(roots) == 1:
        values["dataset.root"] = roots.pop()
    with job("evaluate", [*as_overrides(values), *overrides], progress) as (cfg, folder):
        return evaluation.evaluate(cfg, folder)
