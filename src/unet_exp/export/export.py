"""From a checkpoint to a file for other programs: check the request, build, convert, write."""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from omegaconf import DictConfig

from unet_exp.export.bioimageio import to_bioimageio
from unet_exp.export.exported import Exported
from unet_exp.export.programs import ExportError, to_onnx, to_torch_export, to_torchscript
from unet_exp.files import replacing
from unet_exp.ranges import require_choice
from unet_exp.runs.given_paths import find_checkpoints

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Format:
    """A file format: its suffix, the packages that it needs, and the function for its content."""

    suffix: str
    content: Callable[[Exported, DictConfig], bytes]
    packages: tuple[str, ...] = ()


def program(convert: Callable[..., bytes]) -> Callable[[Exported, DictConfig], bytes]:
    """Return a function for formats that hold only the network and its metadata."""
    return lambda exported, _: convert(exported.network, json.dumps(exported.metadata))


ONNX = ("onnx", "onnxscript", "onnxruntime")
FORMATS = {
    "bioimageio": Format(".zip", to_bioimageio, ("bioimageio.spec", *ONNX)),
    "onnx": Format(".onnx", program(to_onnx), ONNX),
    "torchscript": Format(".pt", program(to_torchscript)),
    "torch_export": Format(".pt2", program(to_torch_export)),
}


def export(cfg: DictConfig) -> None:
    """Write the file ``cfg.output`` in the format ``cfg.format``.

    The file is written under a temporary name and renamed, so it is never incomplete.

    Raises ValueError for a wrong format or file name, CheckpointError if the checkpoint cannot be
    used, and ExportError if a package is missing or the network cannot be converted.
    """
    require_choice("format", cfg.format, FORMATS)
    chosen, output = FORMATS[cfg.format], Path(str(cfg.output))
    if output.suffix.lower() != chosen.suffix or output.is_dir():
        raise ValueError(
            f"output={output} is no file name of format={cfg.format}. Give one that ends in "
            f"{chosen.suffix}: output=model{chosen.suffix}."
        )
    if missing := [name for name in chosen.packages if find_spec(name) is None]:
        raise ExportError(
            f"format={cfg.format} needs {missing[0]}, which is not installed. Install the extra: "
            "pip install 'unet-exp[export]'."
        )
    (path,) = require_one(find_checkpoints(cfg.checkpoint))
    exported = Exported.read(path, cfg)
    for warning in exported.warnings:
        log.warning("%s", warning)
    content = chosen.content(exported, cfg)
    with replacing(output) as part:
        part.write_bytes(content)
    log.info("%s: %s kB", output, f"{len(content) / 1000:,.0f}")


def require_one(checkpoints: list[Path]) -> list[Path]:
    """Raise ValueError unless there is a single checkpoint."""
    if len(checkpoints) > 1:
        raise ValueError(
            f"checkpoint names {len(checkpoints)} files, and a file holds one network. Export each "
            "of them to a file of its own."
        )
    return checkpoints
