"""Exported programs, run by the libraries that other programs use."""

import io
import json
from typing import Any

import onnx
import onnxruntime
import pytest
import torch
from torch import Tensor, nn

from unet_exp.export.exported import Exported
from unet_exp.export.programs import ExportError, to_onnx, to_torch_export, to_torchscript
from unet_exp.models.padded import Padded
from unet_exp.models.unet import UNet


def fitting_images(network: Any) -> list[Tensor]:
    """Images of three sizes, one, two and three of them, no square ones."""
    sides = [network.fitting_sizes(size)[1] for size in (120, 140, 160, 180)]
    return [torch.randn(n + 1, network.in_channels, *sides[n : n + 2]) for n in range(3)]


@pytest.mark.filterwarnings("ignore:.torch.jit.load. is deprecated:DeprecationWarning")
@torch.inference_mode()
def test_torchscript_takes_any_fitting_size(exported: Exported) -> None:
    files = {"unet_exp.json": ""}
    program = torch.jit.load(io.BytesIO(to_torchscript(exported.network, '{"a": 1}')), None, files)
    for image in fitting_images(exported.network):
        torch.testing.assert_close(program(image), exported.network(image), atol=1e-4, rtol=0)
    assert json.loads(files["unet_exp.json"]) == {"a": 1}
    assert "batch_norm" not in str(program.inlined_graph)


@torch.inference_mode()
def test_onnx_takes_any_fitting_size(valid: Exported) -> None:
    content = to_onnx(valid.network, '{"a": 1}')
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    for image in fitting_images(valid.network):
        (found,) = session.run(["output"], {"image": image.numpy()})
        expected = valid.network(image)
        torch.testing.assert_close(torch.from_numpy(found), expected, atol=1e-4, rtol=0)
    assert session.get_modelmeta().custom_metadata_map["unet_exp.json"] == '{"a": 1}'
    nodes = {node.op_type for node in onnx.load_model_from_string(content).graph.node}
    assert "Conv" in nodes
    assert "BatchNormalization" not in nodes


@torch.inference_mode()
def test_torch_export_takes_any_fitting_size() -> None:
    network = UNet(in_channels=2, depth=1, base_channels=2).eval()
    files = {"unet_exp.json": ""}
    content = io.BytesIO(to_torch_export(network, '{"a": 1}'))
    program = torch.export.load(content, extra_files=files).module()
    for image in fitting_images(network):
        torch.testing.assert_close(program(image), network(image), atol=1e-4, rtol=0)
    assert files["unet_exp.json"] == '{"a": 1}'


class Halves(nn.Module):
    """A network that does another thing on small images."""

    def forward(self, image: Tensor) -> Tensor:
        return image if image.shape[-1] > 11 else -2 * image


def test_a_network_whose_program_would_differ_is_refused() -> None:
    network = Padded(Halves(), step=2, halo=2, out_channels=1).eval()
    with pytest.raises(ExportError, match=r"Padded differs from the network by .* at .* pixels"):
        to_torchscript(network)
    with pytest.raises(ExportError, match="exported Padded cannot run at 8 x 10 pixels"):
        to_torch_export(network)
