"""Damaged inputs: image files, networks, records, options and command lines.

Bytes are flipped, cut out, repeated and overwritten; tags, headers and values are rewritten. Each
case ends within 10 seconds and 1 GiB of memory, with a result or an error that names the input and
what to do. As far as Python's audit events tell, it starts no program, opens no connection, and
writes only into its own folder. Sound images beside damaged ones give the same bytes as alone.
"""

import os
from importlib.util import find_spec
from pathlib import Path

from campaigns import commands
from campaigns.mutate import images, networks, records, words
from campaigns.trials import Kind, Limits

CASES = 2000
LIMITS = Limits(seconds=10, memory=2**30)


def kinds(place: Path, share: float = 1.0) -> dict[str, Kind]:
    """Train a tiny network and a sweep of two, and return all kinds of damage."""
    run, sweep, alone = place / "run", place / "sweep", place / "alone"
    os.chdir(place)
    (place / "sound.tif").write_bytes(images.SOUND["tiff"][0])
    best = run / "checkpoints" / "best.ckpt"
    prepared = (
        ("train", [*commands.TINY, f"hydra.run.dir={run}"]),
        ("predict", [f"checkpoint={best}", "input=sound.tif", f"output={alone}",
                     "channels=luminance", "accelerator=cpu"]),
    )  # fmt: skip
    for name, given in prepared:
        if code := commands.run(name, given):
            raise RuntimeError(f"{name} {' '.join(given)} ends with exit code {code}.")
    records.sweep_of(run, sweep)
    found = {kind: Kind(images.reading(kind)) for kind in images.ENDING}
    found |= {
        "zarr": Kind(images.read_zarr),
        "dataset": Kind(images.read_dataset, every=2),
        "checkpoint": Kind(networks.Checkpoints(best).trial, every=2),
        "run_page": Kind(records.Runs(run).page, every=2),
        "sweep": Kind(records.Sweeps(sweep).table, every=2),
        "sweep_resume": Kind(records.Sweeps(sweep).resumed),
        "words": Kind(words.composed, every=4),
        "command": Kind(words.started, every=20),
        "options": Kind(words.own_options, every=4),
        "predict": Kind(words.prediction(best, alone), every=20),
    }
    if find_spec("onnx") and find_spec("onnxruntime"):
        found["package"] = Kind(networks.Packages(networks.one_convolution()).trial, every=2)
    return found
