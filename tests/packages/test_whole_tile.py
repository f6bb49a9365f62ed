"""Which foreign networks depend on the whole tile."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import unet_exp
from tests.packages.packing import TensorProto, description, helper, numpy_helper, pack
from unet_exp.packages.whole_tile import whole_tile_operators


def model(*nodes: Any, **constants: Any) -> Any:
    """A graph from x to y."""
    outer = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * 4) for name in "xy"]
    held = [numpy_helper.from_array(np.array(value), name) for name, value in constants.items()]
    graph = helper.make_graph(list(nodes), "cells", outer[:1], outer[1:], held)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def node(kind: str, *inputs: str, **attributes: Any) -> Any:
    return helper.make_node(kind, ["x", *inputs], ["y"], **attributes)


ONE = np.ones(1, np.float32)


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        (model(node("InstanceNormalization", "s", "b"), s=ONE, b=ONE), ["InstanceNormalization"]),
        (model(node("ReduceMean", "axes"), axes=[2, 3]), ["ReduceMean"]),
        (model(node("ReduceMean")), ["ReduceMean"]),
        (model(node("ReduceMean", "axes"), axes=[1]), []),
        (model(node("MatMul", "x")), ["attention"]),
        (model(node("MatMul", "w"), w=np.eye(4, dtype=np.float32)), []),
        (model(node("Softmax", axis=1)), []),
        (model(node("Relu")), []),
    ],
)  # fmt: skip
def test_operators_that_mix_all_pixels_are_named(graph: Any, expected: list[str]) -> None:
    assert whole_tile_operators(graph) == expected


def test_damaged_graphs_are_not_followed() -> None:
    """onnxruntime refuses them, but a graph may hold parts that it never reads."""
    no_output = helper.make_node("Constant", [], [], value=numpy_helper.from_array(ONE, "c"))
    assert whole_tile_operators(model(no_output, node("Relu"))) == []
    huge = model(node("ReduceMean", "axes"), axes=[2, 3])
    huge.graph.initializer[0].dims[:] = [2**40]
    assert whole_tile_operators(huge) == []


def test_it_is_warned_of_when_a_package_is_opened(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    graph = model(node("InstanceNormalization", "s", "b"), s=ONE, b=ONE)
    for name, content, warned in (
        ("norm", {"weights_onnx": graph.SerializeToString()}, True),
        ("plain", {}, False),
    ):
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            unet_exp.load(pack(tmp_path / f"{name}.zip", description(), **content), device="cpu")
        assert ("InstanceNormalization, which mixes all pixels of a tile" in caplog.text) == warned
