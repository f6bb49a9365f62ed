"""Print the results of a training, its files, and commands to type next."""

import shlex
import sys
from pathlib import Path
from typing import Any

from unet_exp.datasets.dataset import Dataset
from unet_exp.numbers import format_score
from unet_exp.records.run_folder import RunFolder
from unet_exp.screen import Console
from unet_exp.training.tuned_postprocessing import TunedPostprocessing


def print_results(
    folder: RunFolder,
    best: dict[str, Any],
    tuned: TunedPostprocessing | None,
    pictures: list[Path],
    ended_by: str,
    dataset: Dataset,
) -> None:
    """Print the scores of the best checkpoint, what ended the training, and its files.

    Parameters
    ----------
    dataset
        What it trained on. The suggested commands fit it: after synthetic images, they begin with
        own images.
    """
    from rich.table import Table

    table = Table(title=f"best checkpoint, step {best.get('step', 0):.0f}")
    table.add_column("score")
    table.add_column("value" if tuned is None else "unfitted", justify="right")
    gains = {f"val/{name}": gain for name, gain in tuned.gains.items()} if tuned else {}
    for head in ("fitted", "left out") if tuned else ():
        table.add_column(head, justify="right")
    for name in dict.fromkeys([*best, *gains]):
        if "/" in name:
            gain = gains.get(name)
            value = best.get(name, gain.unfitted if gain else None)
            more = map(format_score, (gain.fitted, gain.left_out)) if gain else ()
            table.add_row(name, format_score(value), *more)
    console = Console()
    console.print(table)
    lines = [
        *(tuned.report() if tuned else ()),
        f"ended by    {ended_by}",
        f"run folder  {folder.path}",
        f"checkpoint  {folder.best}",
        *(f"picture     {path}" for path in pictures),
        *([f"report      {folder.report}"] if folder.report.is_file() else []),
    ]
    if any(folder.offline_wandb_runs()):
        upload = f"wandb sync {folder.path}/wandb/offline-run-*"
        lines.append(f"W&B         offline; to upload: {upload}")
    if folder.best.is_file():
        lines += ["", "What to type next:", *(f"  {one}" for one in next_commands(folder, dataset))]
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True)


def next_commands(folder: RunFolder, dataset: Dataset) -> list[str]:
    """Return three commands for after a training, each with a comment."""
    here, path = Path.cwd(), folder.path.absolute()
    run = shlex.quote(str(path.relative_to(here) if path.is_relative_to(here) else path))
    installed = Path(sys.argv[0]).name.startswith("unet-")
    train, evaluate, predict = (
        f"unet-{name}" if installed else f"python {name}.py"
        for name in ("train", "evaluate", "predict")
    )
    apply = (
        f"{predict} checkpoint={run} input=IMAGES output=segmented  # segment a folder of images"
    )
    # A checkpoint does not choose a folder of images, so evaluate.py asks for it.
    root = folder.read_config().get("dataset.root", "null")
    images = "" if root == "null" else f" {shlex.quote(f'dataset.root={root}')}"
    if dataset.name == "synthetic":
        return [
            f"{train} dataset=folder dataset.root=DIR  # train on your own DIR/images, DIR/labels",
            apply,
            f"{train} --help  # what can be chosen",
        ]
    folds = getattr(dataset, "folds", None)
    option, number = "seed", 3
    if isinstance(folds, int) and folds > 1:
        option, number = "dataset.fold", folds
    values = ",".join(map(str, range(number))) if number < 10 else f"'range({number})'"
    return [
        apply,
        f"{evaluate} run={run}{images} tta=dihedral  # score it, with the mean over rotated images",
        f"{train} -m {option}={values} ...  # train once for each, for a mean and its spread",
    ]
