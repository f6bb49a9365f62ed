import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper
from onnx.external_data_helper import set_external_data

from tests.packages.packing import IDENTITY, axes, convolution, description, following, pack
from unet_exp.models.network import Network
from unet_exp.packages import onnx_network
from unet_exp.packages.archive import Archive, PackageError
from unet_exp.packages.description import read_description
from unet_exp.packages.onnx_network import OnnxNetwork

RISING = np.arange(9.0).reshape(1, 1, 3, 3)


def network(folder: Path, content: bytes, **given: Any) -> OnnxNetwork:
    archive = Archive(pack(folder / "model.zip", description(**given)))
    return OnnxNetwork(content, read_description(archive), [])


def test_it_is_a_network_of_ours(tmp_path: Path) -> None:
    content = convolution(RISING).SerializeToString()
    found = network(tmp_path, content, outputs=[{"axes": following(-2)}])
    assert isinstance(found, Network)
    assert (found.step, found.halo, found.padding, found.output_size(12)) == (4, 1, "valid", 10)
    assert [found.fitting_sizes(size) for size in (3, 8, 9)] == [(None, 8), (8, 8), (8, 12)]
    image = torch.rand(2, 1, 8, 12)
    expected = torch.nn.functional.conv2d(image, torch.tensor(RISING, dtype=torch.float32))
    assert torch.allclose(found(image), expected, atol=1e-5)
    with pytest.raises(ValueError, match="13 pixels does not fit"):
        found.output_size(13)


def test_one_side_alone(tmp_path: Path) -> None:
    content = convolution(IDENTITY).SerializeToString()
    found = network(
        tmp_path, content, inputs=[{"axes": axes(96)}], outputs=[{"axes": axes(96, halo=8)}]
    )
    below, above = found.fitting_sizes(97)
    assert (below, found.fitting_sizes(96), found.fitting_sizes(5)) == (96, (96, 96), (None, 96))
    assert above > 10**9
    assert (found.step, found.halo) == (32, 8)


def test_the_order_of_axes_is_the_package_s(tmp_path: Path) -> None:
    """An identity that takes (y, x, b, c) is fed so."""
    order = [axes(8)[n] for n in (2, 3, 0, 1)]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [8, 4, 1, 1]) for name in "xy"]
    relu = helper.make_node("Relu", ["x"], ["y"])
    graph = helper.make_graph([relu], "cells", ends[:1], ends[1:])
    opset = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=9)
    found = network(
        tmp_path, model.SerializeToString(), inputs=[{"axes": order}], outputs=[{"axes": order}]
    )
    image = torch.rand(1, 1, 8, 4)
    assert torch.equal(found(image), image)


def test_weights_in_another_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(np.ones(1, np.float32).tobytes())
    plain, inner = convolution(IDENTITY), convolution(IDENTITY)
    constant = inner.graph.node.add(op_type="Constant", output=["k"]).attribute.add(name="value").t
    for model, tensor in ((plain, plain.graph.initializer[0]), (inner, constant)):
        tensor.raw_data = bytes(4)
        set_external_data(tensor, str(tmp_path / "secret"))
        tensor.ClearField("raw_data")
        with pytest.raises(PackageError, match="reads its weights from another file"):
            network(tmp_path, model.SerializeToString())


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"text", "no ONNX file|onnxruntime refuses the ONNX graph of cells"),
        (b"", "onnxruntime refuses the ONNX graph of cells"),
    ],
)
def test_files_that_are_no_graphs_are_refused(tmp_path: Path, content: bytes, told: str) -> None:
    with pytest.raises(PackageError, match=told):
        network(tmp_path, content)


def test_an_output_that_the_description_does_not_say_is_refused(tmp_path: Path) -> None:
    found = network(tmp_path, convolution(RISING).SerializeToString())
    with pytest.raises(PackageError, match=r"shape \(1, 1, 6, 6\), and its description says"):
        found(torch.zeros(1, 1, 8, 8))


def test_an_image_that_the_graph_cannot_take_is_explained(tmp_path: Path) -> None:
    found = network(tmp_path, convolution(np.ones((1, 2, 1, 1))).SerializeToString())
    with pytest.raises(PackageError, match="cannot run cells on 8 x 8 pixels"):
        found(torch.zeros(1, 1, 8, 8))


def test_missing_software_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = convolution(IDENTITY).SerializeToString()
    monkeypatch.setattr(onnx_network, "NEEDED", ("onnx", "no_such_package"))
    with pytest.raises(PackageError, match=r"no_such_package.*pip install 'unet-exp\[export\]'"):
        network(tmp_path, content)


@pytest.mark.parametrize("room", ["packages", "export"])
def test_onnxruntime_reports_nothing(tmp_path: Path, room: str) -> None:
    """Otherwise its import would start a session of reports in a file ``.ses``."""
    code = f"import unet_exp.{room}, onnxruntime"
    kept = {k: v for k, v in os.environ.items() if k not in ("CI", "ORT_DISABLE_TELEMETRY")}
    subprocess.run([sys.executable, "-c", code], env={**kept, "TMPDIR": str(tmp_path)}, check=True)
    assert not (tmp_path / ".ses").exists()
