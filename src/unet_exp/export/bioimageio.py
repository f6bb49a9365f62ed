"""Write a network as a package of the BioImage Model Zoo (model description 0.5).

The format: https://bioimage-io.github.io/spec-bioimage-io. DeepImageJ, ilastik, QuPath and
bioimageio.core run such packages.
"""

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import torch
import yaml
from jaxtyping import UInt8
from omegaconf import DictConfig, OmegaConf
from PIL import Image

from unet_exp.export.documentation import class_name, documentation
from unet_exp.export.example import example
from unet_exp.export.exported import Exported
from unet_exp.export.programs import ExportError, to_onnx, to_torchscript
from unet_exp.export.sizes import Sizes
from unet_exp.training.checkpoint import read_weights

ARTICLE = {
    "text": "Ronneberger, Fischer, Brox: U-Net: Convolutional Networks for Biomedical Image "
    "Segmentation. MICCAI 2015.",
    "doi": "10.1007/978-3-319-24574-4_28",
}
#: Programs that run packages add this to a divisor, so that it is never 0.
EPS = 1e-9


def to_bioimageio(exported: Exported, cfg: DictConfig) -> bytes:
    """Return a package, a zip archive: networks, test images, cover, description, documentation.

    Parameters
    ----------
    cfg
        ``name``, ``description``, ``authors``, ``license`` of the package; null means a default.

    Raises ExportError if images have to be resized for the network, if the network cannot be
    converted, or if a field of the package is not valid.
    """
    if exported.scale != 1:
        raise ExportError(
            f"The network was trained with inference.scale={exported.scale:g}, and a package of "
            "format=bioimageio cannot ask for images to be resized. Choose format=onnx, or train "
            "with inference.scale=1."
        )
    fields = given_fields(exported, cfg)
    require_valid(fields)
    files = contents(exported, fields)
    # A round trip through JSON, because YAML would write lists that are shared as references.
    description = json.loads(json.dumps(fields | described(exported, files)))
    files["rdf.yaml"] = yaml.safe_dump(description, sort_keys=False, allow_unicode=True).encode()
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in files.items():
            package.writestr(name, data)
    return content.getvalue()


def given_fields(exported: Exported, cfg: DictConfig) -> dict[str, Any]:
    """Return name, description, authors and licence of a package, as given or by default."""
    run = re.sub(r"[^A-Za-z0-9_+() -]+", "-", str(exported.config.get("name") or "network"))
    kind = class_name(exported.config["model"])
    return {
        "name": cfg.name or f"unet_exp {run}"[:64],
        "description": cfg.description or f"{kind} for 2D images, trained with unet_exp.",
        "authors": authors(cfg),
        **({"license": cfg.license} if cfg.license else {}),
    }


def require_valid(fields: dict[str, Any]) -> None:
    """Raise ExportError if the BioImage.IO format refuses one of these fields.

    >>> require_valid({"name": "cells", "license": "MTI"})
    Traceback (most recent call last):
    unet_exp.export.programs.ExportError: license='MTI' is no identifier of https://spdx.org/...
    """
    from bioimageio.spec.model.v0_5 import ModelDescr
    from pydantic import ValidationError

    try:
        ModelDescr.model_validate(fields)
    except ValidationError as error:  # always: the other fields are missing here
        for fault in error.errors():
            if fault["loc"] and fault["loc"][0] in fields:
                raise ExportError(explained(fault)) from error


def contents(exported: Exported, fields: dict[str, Any]) -> dict[str, bytes]:
    """Return the files of a package by name, without its description."""
    shown = example(exported)
    metadata = json.dumps(exported.metadata)
    text = documentation(exported, fields["name"], fields["description"])
    files = {
        # As float32, so that programs do not round the scaled image to whole numbers.
        "input.npy": written(np.save, shown.image.astype(np.float32)),
        "output.npy": written(np.save, shown.output),
        "cover.png": written(save_png, shown.cover),
        "README.md": text.encode(),
        "weights.onnx": to_onnx(exported.network, metadata),
        "weights.torchscript": to_torchscript(exported.network, metadata),
    }
    if architecture(exported):
        weights = read_weights(exported.checkpoint)
        prefix = "network."
        own = {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}
        files["weights.pt"] = written(lambda file, state: torch.save(state, file), own)
    return files


def described(exported: Exported, files: dict[str, bytes]) -> dict[str, Any]:
    """Return the fields of the description that follow from the network and its files."""

    def file(name: str, **more: Any) -> dict[str, Any]:
        return {"source": name, "sha256": hashlib.sha256(files[name]).hexdigest(), **more}

    version = torch.__version__.partition("+")[0]
    weights = {
        "torchscript": file("weights.torchscript", pytorch_version=version),
        "onnx": file("weights.onnx", opset_version=opset(files["weights.onnx"])),
    }
    if "weights.pt" in files:
        more = {"pytorch_version": version, "architecture": architecture(exported)}
        weights["pytorch_state_dict"] = file("weights.pt", **more)
        weights["torchscript"]["parent"] = "pytorch_state_dict"
    weights["onnx"]["parent"] = "torchscript"
    image = {
        "id": "image",
        "axes": input_axes(exported.network),
        "test_tensor": file("input.npy"),
        "data": {"type": "float32"},
        "preprocessing": preprocessing(exported.normalization),
    }
    output = {
        "id": "output",
        "axes": output_axes(exported.network),
        "test_tensor": file("output.npy"),
        "data": {"type": "float32"},
    }
    return {
        "type": "model",
        "format_version": "0.5.12",
        "timestamp": datetime.now(UTC).isoformat(),
        "cite": [ARTICLE],
        "tags": ["segmentation", "2d", "unet", "pytorch", "unet_exp"],
        "documentation": file("README.md"),
        "covers": [file("cover.png")],
        "inputs": [image],
        "outputs": [output],
        "weights": weights,
        "config": {"unet_exp": exported.metadata},
    }


def written(write: Callable[[Any, Any], Any], value: Any) -> bytes:
    """Return what a function writes into a file."""
    file = io.BytesIO()
    write(file, value)
    return file.getvalue()


def save_png(file: Any, picture: UInt8[np.ndarray, "h w 3"]) -> None:
    """Write a picture as PNG."""
    Image.fromarray(picture).save(file, "png")


def architecture(exported: Exported) -> dict[str, Any] | None:
    """Return the class of a network of this package and its arguments.

    None for a network of other packages, or with arguments that are no plain values.
    """
    arguments = {k: v for k, v in exported.config["model"].items() if not k.startswith("_")}
    module, _, name = exported.config["model"]["_target_"].rpartition(".")
    plain = all(isinstance(value, str | int | float | bool) for value in arguments.values())
    if not plain or not module.startswith("unet_exp.models."):
        return None
    return {"import_from": module, "callable": name, "kwargs": arguments}


def input_axes(network: Any) -> list[dict[str, Any]]:
    """Return the axes of the image: batch, channel, y, x."""
    sizes = Sizes.of(network)
    size = {"min": sizes.smallest, "step": sizes.step}
    space = [{"type": "space", "id": axis, "size": size} for axis in "yx"]
    return [{"type": "batch"}, channels("channel", network.in_channels), *space]


def output_axes(network: Any) -> list[dict[str, Any]]:
    """Return the axes of the output, whose sides follow from those of the image.

    With padding, the outermost pixels of a tile are not valid. Without padding, they do not exist.
    """
    lost = 2 * network.halo if network.padding == "valid" else 0
    halo = {} if lost else {"halo": network.halo}
    space = [
        {
            "type": "space",
            "id": axis,
            "size": {"tensor_id": "image", "axis_id": axis, "offset": -lost},
            **halo,
        }
        for axis in "yx"
    ]
    return [{"type": "batch"}, channels("output", network.out_channels), *space]


def channels(name: str, count: int) -> dict[str, Any]:
    """Return a channel axis.

    >>> channels("output", 2)["channel_names"]
    ['output_0', 'output_1']
    """
    return {"type": "channel", "channel_names": [f"{name}_{number}" for number in range(count)]}


def preprocessing(normalization: str) -> list[dict[str, Any]]:
    """Return the steps that scale an image as `unet_exp.images.scaling` does.

    >>> preprocessing("none")
    []
    """
    each = {"axes": ["y", "x"], "eps": EPS}
    steps = {
        "zscore": ("zero_mean_unit_variance", each),
        "percentile": ("scale_range", each | {"min_percentile": 1.0, "max_percentile": 99.8}),
        "minmax": ("scale_range", each | {"min_percentile": 0.0, "max_percentile": 100.0}),
        "dtype": ("scale_linear", {"gain": 1 / 255, "offset": 0.0}),
    }
    if normalization not in steps:
        return []
    step, arguments = steps[normalization]
    return [{"id": step, "kwargs": arguments}]


def authors(cfg: DictConfig) -> list[dict[str, Any]]:
    """Return the authors: names, with affiliation, email, orcid and github_user if given.

    >>> authors(OmegaConf.create({"authors": ["Ada Lovelace"]}))
    [{'name': 'Ada Lovelace'}]
    """
    given: Any = OmegaConf.to_container(OmegaConf.create(cfg.authors), resolve=True)
    given = given if isinstance(given, list) else [given]
    return [one if isinstance(one, dict) else {"name": str(one)} for one in given]


def opset(content: bytes) -> int:
    """Return the version of the operators in an ONNX file."""
    import onnx

    versions = {
        one.domain: one.version for one in onnx.load_model_from_string(content).opset_import
    }
    return versions[""]


def explained(fault: Any) -> str:
    """Return a fault of a field as a sentence.

    >>> explained({"loc": ("name",), "input": "a", "msg": "Value should have 5 items"})
    "name='a' does not fit the BioImage.IO format: Value should have 5 items. Change it."
    """
    value = repr(fault["input"])[:80]
    if fault["loc"][0] == "license":
        return (
            f"license={value} is no identifier of https://spdx.org/licenses. Give one, such as "
            "license=CC-BY-4.0."
        )
    key = ".".join(str(part) for part in fault["loc"])
    message = " ".join(str(fault["msg"]).split())[:200].rstrip(".")
    return f"{key}={value} does not fit the BioImage.IO format: {message}. Change it."
