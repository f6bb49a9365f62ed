"""Scores as tables on the screen, of any number of columns and rows."""

from collections.abc import Sequence

from rich import box
from rich.table import Table

from unet_exp.numbers import format_score, format_short
from unet_exp.records.statistics import statistics
from unet_exp.runs.scoring import Evaluation
from unet_exp.screen import Console
from unet_exp.shown import shown

#: Largest number of images that are all shown; with more, the number of worst and of best images.
MOST_IMAGES, SHOWN = 40, 15
#: Characters between two columns, and the width of labels folded to keep numbers together.
GAP, FOLDED = 2, 16


def show_images(evaluation: Evaluation, title: str, score: str) -> None:
    """Print the scores of each image; if there are many, only the worst and the best by a score."""
    rows, ranked, names = evaluation.rows, evaluation.ranked(score), list(evaluation.scores)
    parts, note = [rows], ""
    if len(rows) > MOST_IMAGES and len(ranked) > 2 * SHOWN:
        parts = [[rows[i] for i in part] for part in (ranked[:SHOWN], ranked[-SHOWN:])]
        note = f"The {SHOWN} worst and best by {score}; per_image.csv holds all {len(rows)}."
    images = [[([row["name"]], [row[name] for name in names]) for row in part] for part in parts]
    everything = [(["all"], list(evaluation.scores.values()))]
    show(title, ["image"], names, [*images, everything], note)


def show_summary(evaluation: Evaluation) -> None:
    """Print each score of all images together, its spread over the images, and its details."""
    table = Table(
        title="all images together; mean, std and median of single ones", title_justify="left"
    )
    table.add_column("score", no_wrap=True)
    for name in ("all", "mean", "std", "median"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("details of all")
    for name, value in evaluation.scores.items():
        spread = statistics([row[name] for row in evaluation.rows])
        named = evaluation.details.get(name, {}).items()
        told = ", ".join(f"{detail} {format_short(found)}" for detail, found in named)
        table.add_row(name, format_score(value), *map(format_score, spread.values()), told)
    Console().print(table)


def show(
    title: str,
    heads: Sequence[str],
    names: Sequence[str],
    sections: Sequence[Sequence[tuple[Sequence[str], Sequence[float | None]]]],
    note: str = "",
) -> None:
    """Print rows of labels and numbers; continue in another table if the screen is too narrow.

    A row has a label for each of ``heads`` and a number for each of ``names``.
    """
    console = Console()
    labels = [row[0] for section in sections for row in section]
    widths = [
        max(len(shown(name)) for name in column) for column in zip(heads, *labels, strict=True)
    ]
    words = [name.replace("_", " ") for name in names]
    # Fold long labels if that keeps the numbers together.
    groups = min(
        (fitting(words, console.width - sum(GAP + min(most, width) for width in widths))
          for most in (console.width // 2, FOLDED)),
        key=len,
    )  # fmt: skip
    for place, chosen in enumerate(groups):
        table = Table(
            title=title if place == 0 else f"{title}, continued",
            title_justify="left",
            box=box.HORIZONTALS,
            show_edge=False,
            padding=(0, GAP - 1, 0, 0),
        )
        for head in heads:
            table.add_column(head, overflow="fold")
        for column in chosen:
            table.add_column(words[column].replace(" ", "\n"), justify="right", no_wrap=True)
        for section in sections:
            for label, numbers in section:
                table.add_row(
                    *map(shown, label), *(format_score(numbers[column]) for column in chosen)
                )
            table.add_section()
        console.print(table)
    if note:
        console.print(note, highlight=False)


def fitting(heads: Sequence[str], room: int) -> list[list[int]]:
    """Group columns of numbers so that each group takes at most ``room`` characters.

    A column is as wide as its head's longest word, at least six digits, plus the gap.

    >>> fitting(["seg", "average precision", "v rand"], 22)
    [[0, 1], [2]]
    """
    groups: list[list[int]] = [[]]
    left = room
    for column, head in enumerate(heads):
        width = GAP + max(6, *map(len, head.split()))
        if groups[-1] and width > left:
            groups.append([])
            left = room
        groups[-1].append(column)
        left -= width
    return groups
