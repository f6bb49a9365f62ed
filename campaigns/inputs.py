"""Inputs of any size for the campaign of load."""

import csv
import json
import shutil
from pathlib import Path

import cv2
import numpy as np

#: Sides of an image of a folder, and of the square that an object and its surroundings take.
SIDE, CELL = 32, 6


def images(folder: Path, count: int) -> None:
    """Write images with two bright squares and noise of their own."""
    (folder / "images").mkdir()
    for number in range(count):
        write(folder / "images" / f"{number}.png", picture(number))


def labelled(folder: Path, count: int) -> None:
    """Write images to validate on with their labels, and two to train on."""
    for part, parts in ((folder, 2), (folder / "validation", count)):
        (part / "labels").mkdir(parents=True)
        images(part, parts)
        for number in range(parts):
            labels = np.zeros((SIDE, SIDE), np.uint8)
            labels[4:14, 4:14], labels[18:28, 18:28] = 1, 2
            labels[15, number % SIDE] = 3  # each image has labels of its own
            write(part / "labels" / f"{number}.png", labels)


def picture(number: int) -> np.ndarray:
    image = np.random.default_rng(number).integers(0, 60, (SIDE, SIDE), np.uint8)
    image[4:14, 4:14] += 150
    image[18:28, 18:28] += 150
    return image


def write(path: Path, image: np.ndarray) -> None:
    if not cv2.imwrite(str(path), image):
        raise OSError(f"{path} cannot be written.")


def many_objects(folder: Path, count: int) -> None:
    """Write probabilities of the foreground in which so many objects are found."""
    columns = int(np.ceil(np.sqrt(count)))
    cell = np.zeros((CELL, CELL), np.float32)
    cell[1:5, 1:5] = 0.9
    whole = np.tile(cell, (-(-count // columns), columns))
    whole[-CELL:, (count - 1) % columns * CELL + CELL :] = 0
    np.save(folder / "foreground.npy", whole)


def finished_run(trained: Path, folder: Path, validations: int) -> None:
    """Copy a finished run, and give it so many validations."""
    shutil.copytree(trained, folder)
    with (folder / "metrics.csv").open() as file:
        (*_, last) = csv.DictReader(file)
    with (folder / "metrics.csv").open("w", newline="") as file:
        rows = csv.DictWriter(file, last)
        rows.writeheader()
        for number in range(1, validations + 1):
            share = number / validations
            rows.writerow(last | {"step": share * float(last["step"]), "seconds": number})


def finished_sweep(swept: Path, folder: Path, jobs: int) -> None:
    """Copy a finished sweep of seeds, and give it so many jobs."""
    record = json.loads((swept / "sweep.json").read_text())
    numbers = range(jobs)
    record["jobs"] = [{"folder": str(n), "overrides": [f"seed={n}"]} for n in numbers]
    record["arguments"] = [
        f"seed=range({jobs})" if word.startswith("seed=") else word for word in record["arguments"]
    ]
    folder.mkdir()
    (folder / "sweep.json").write_text(json.dumps(record))
    for number in numbers:
        shutil.copytree(swept / "0", folder / str(number))
