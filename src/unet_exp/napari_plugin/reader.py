"""Read the results of ``predict.py`` as layers."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped

from unet_exp.datasets.pairing import stem
from unet_exp.images.image_file import open_whole

MANIFEST = "predict.json"
KINDS = {"_instances": "labels", "_classes": "labels", "_probabilities": "image"}
"""The type of layer for each ending of a file name."""
LayerData = tuple[Shaped[np.ndarray, "..."], dict[str, Any], str]
Paths = str | Sequence[str]


def get_reader(path: Paths) -> Callable[[Paths], list[LayerData]] | None:
    """Return a reader of instances, of classes, or of all results that ``predict.json`` lists.

    None for other files.

    >>> get_reader("cells_instances.tif") is read, get_reader("cells.tif")
    (True, None)
    """
    paths = [path] if isinstance(path, str) else path
    known = all(Path(one).name == MANIFEST or kind_of(Path(one)) for one in paths)
    return read if known else None


def read(path: Paths) -> list[LayerData]:
    """Read files as layers.

    Raises ValueError if a file is damaged, or a manifest lists nothing that can be shown.
    """
    paths = [Path(path)] if isinstance(path, str) else [Path(one) for one in path]
    files = [file for one in paths for file in (listed(one) if one.name == MANIFEST else [one])]
    return [layer(file) for file in files]


def listed(manifest: Path) -> list[Path]:
    """Return the results that a manifest lists, and that are there; instances come last.

    Raises ValueError if there are none.
    """
    try:
        names = list(json.loads(manifest.read_text())["results"])
        files = [manifest.parent / name for name in names]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{manifest} is no list of results. Open the predict.json that predict.py has written."
        ) from error
    folder = manifest.parent.resolve()
    inside = [file for file in files if file.exists() and folder in file.resolve().parents]
    shown = sorted((file for file in inside if kind_of(file)), key=lambda file: order(file))
    if not shown:
        raise ValueError(
            f"{manifest} lists no instances, classes or probabilities that lie beside it. Keep it "
            "in the folder of its results, and give outputs=[instances] to predict.py."
        )
    return shown


def kind_of(file: Path) -> str:
    """Return the type of layer for a result; empty for other files."""
    return next((kind for end, kind in KINDS.items() if stem(file).endswith(end)), "")


def order(file: Path) -> tuple[bool, bool, str]:
    """Return a sort key that puts images first and instances last."""
    return kind_of(file) == "labels", stem(file).endswith("_instances"), file.name


def layer(file: Path) -> LayerData:
    """Read a result: (pages, h, w), or (pages, k, h, w) of k probabilities."""
    with open_whole(file) as opened:
        pages = opened.stack()
        pixels = pages.reshape(*opened.shape, *pages.shape[1:])
    if pixels.shape[-3] == 1:
        pixels = pixels[..., 0, :, :]
    kind = kind_of(file)
    given: dict[str, Any] = {"name": stem(file)}
    return pixels, given | ({"visible": False} if kind == "image" else {}), kind
