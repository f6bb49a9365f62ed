"""Print what a training has achieved."""

from pathlib import Path
from typing import Any

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
) -> None:
    """Print the scores of the best checkpoint, what ended the training, and its files."""
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
    ]
    if any(folder.offline_wandb_runs()):
        upload = f"wandb sync {folder.path}/wandb/offline-run-*"
        lines.append(f"W&B         offline; to upload: {upload}")
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True)
