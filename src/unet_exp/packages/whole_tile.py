"""Operators of an ONNX graph by which each pixel of the output depends on the whole tile.

They are normalisation by the tile's own mean and variance, pooling of the whole tile
(squeeze-and-excitation), and attention between its pixels. With them, no halo makes tiles fit.
"""

from collections.abc import Iterable, Iterator
from typing import Any

ALWAYS = {
    "InstanceNormalization", "GroupNormalization", "MeanVarianceNormalization", "GlobalAveragePool",
    "GlobalMaxPool", "GlobalLpPool", "Attention", "MultiHeadAttention",
}  # fmt: skip
#: Operators that reduce axes: all of them, if none are named.
REDUCE = {"ReduceMean", "ReduceMax", "ReduceMin", "ReduceSum", "ReduceL2"}
PRODUCTS = {"MatMul", "Einsum"}
#: Shapes of a tensor that names axes. A file may claim any shape.
SHORT = ([], *([count] for count in range(9)))
#: The axes of rows and columns in a batch (b, c, h, w).
OF_PIXELS = {2, 3, -1, -2}


def whole_tile_operators(model: Any) -> list[str]:
    """Return the operators of an ONNX model by which its output depends on the whole tile.

    Each is named once. Axes that are computed when the graph runs are not known, and not named.
    """
    found = dict.fromkeys(one for graph in graphs(model.graph) for one in operators(graph))
    return list(found)


def graphs(graph: Any) -> Iterator[Any]:
    """Yield a graph, and the graphs within its operators."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            for inner in [*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])]:
                yield from graphs(inner)


def operators(graph: Any) -> Iterator[str]:
    """Yield the operators of one graph that mix all pixels."""
    from onnx import numpy_helper

    constants = {one.name: one for one in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant":
            for one in node.attribute:
                if one.name == "value" and node.output:
                    constants[node.output[0]] = one.t
    for node in graph.node:
        if node.op_type in ALWAYS:
            yield node.op_type
        elif node.op_type in PRODUCTS and not set(node.input) & set(constants):
            yield "attention"
        elif node.op_type in REDUCE:
            given = next((list(one.ints) for one in node.attribute if one.name == "axes"), None)
            held = constants.get(node.input[1]) if given is None and len(node.input) > 1 else None
            if held is not None and list(held.dims) in SHORT:
                given = numpy_helper.to_array(held).ravel().tolist()
            if of_rows_and_columns(given, known=len(node.input) < 2 or given is not None):
                yield node.op_type


def of_rows_and_columns(axes: Iterable[int] | None, known: bool) -> bool:
    """Tell whether axes are those of rows and columns, both; without ``axes``, all are.

    >>> of_rows_and_columns([1], known=True), of_rows_and_columns([-2, -1], known=True)
    (False, True)
    """
    if axes is None:
        return known
    return len(OF_PIXELS & set(axes)) >= 2
