"""Write packages of the zoo with tiny networks, as other programs write them."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

pytest.importorskip("onnxruntime", reason="packages need the extra export")
from onnx import TensorProto, helper, numpy_helper

SIZE = {"min": 8, "step": 4}


def axes(size: Any, channels: int = 1, **more: Any) -> list[dict[str, Any]]:
    return [
        {"type": "batch"},
        {"type": "channel", "channel_names": [f"c{n}" for n in range(channels)]},
        {"type": "space", "id": "y", "size": size, **more},
        {"type": "space", "id": "x", "size": size, **more},
    ]


def following(offset: int = 0, channels: int = 1, **more: Any) -> list[dict[str, Any]]:
    found = axes(None, channels, **more)
    for axis in found[2:]:
        axis["size"] = {"tensor_id": "image", "axis_id": axis["id"], "offset": offset}
    return found


def description(**given: Any) -> dict[str, Any]:
    """A description 0.5: one channel in, one out, of the size of the image."""
    usual = {
        "type": "model",
        "format_version": "0.5.4",
        "name": "cells",
        "inputs": [{"id": "image", "axes": axes(SIZE)}],
        "outputs": [{"id": "out", "axes": following(), "test_tensor": {"source": "output.npy"}}],
        "weights": {"onnx": {"source": "weights.onnx", "opset_version": 17}},
    }
    return usual | given


def convolution(weights: np.ndarray, padding: int = 0) -> Any:
    """An ONNX graph of one convolution with weights (k, c, h, w)."""
    outer = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * 4) for name in "xy"]
    node = helper.make_node("Conv", ["x", "w"], ["y"], pads=[padding] * 4)
    kernel = numpy_helper.from_array(weights.astype(np.float32), "w")
    graph = helper.make_graph([node], "cells", outer[:1], outer[1:], [kernel])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


IDENTITY = np.ones((1, 1, 1, 1))


def npy(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, np.asarray(array))
    return file.getvalue()


def pack(path: Path, said: Any, weights: np.ndarray = IDENTITY, **files: bytes) -> Path:
    """Write a package. Files are given as ``output_npy``; by default, that is a probability."""
    members = {
        "rdf.yaml": said if isinstance(said, bytes) else yaml.safe_dump(said).encode(),
        "weights.onnx": convolution(weights, weights.shape[-1] // 2).SerializeToString(),
        "output.npy": npy(np.full((1, 1, 8, 8), 0.5, np.float32)),
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in (
            members | {f"{k.replace('_', '.')}": v for k, v in files.items()}
        ).items():
            package.writestr(name, content)
    return path
