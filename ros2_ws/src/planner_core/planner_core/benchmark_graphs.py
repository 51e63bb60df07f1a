"""Graphs for the benchmark: a plain denoiser, a large product, and the arithmetic of any graph.

Letters: ``K`` candidates, ``H`` samples of a window, ``D`` channels, ``T`` noise levels.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper, shape_inference
from planner_core.bundle import Bundle
from planner_core.manifest import (
    FORMAT_VERSION,
    GraphSpec,
    Manifest,
    Provenance,
    ScanSpec,
    Statistics,
    TensorSpec,
)

WIDTH, BLOCKS = 256, 3

Floats = NDArray[np.float32]


def product_graph(size: int) -> bytes:
    """One product of two square float32 matrices."""
    nodes = [helper.make_node("MatMul", ["a", "b"], ["c"])]
    return _model(nodes, {"a": (size, size), "b": (size, size)}, {"c": (size, size)}, {})


def denoiser_graph(horizon: int, channels: int, outputs: int, condition: int) -> bytes:
    """A residual denoiser of width 256 with random weights.

    Args:
        horizon: ``H``.
        channels: ``D``.
        outputs: Channels that it predicts, the first ones.
        condition: Numbers of its condition.
    """
    rng = np.random.default_rng(0)
    weights: dict[str, NDArray[Any]] = {
        "flat": np.array([0, horizon * channels]),
        "window": np.array([0, horizon, outputs]),
        "one": np.ones(WIDTH, np.float32),
    }
    nodes = []

    def linear(source: str, result: str, inputs: int, width: int) -> None:
        scale = 1 / math.sqrt(inputs)
        weights[f"{result}_w"] = np.float32(scale) * rng.standard_normal((inputs, width)).astype(
            np.float32
        )
        weights[f"{result}_b"] = np.zeros(width, np.float32)
        nodes.append(helper.make_node("Gemm", [source, f"{result}_w", f"{result}_b"], [result]))

    def add(kind: str, sources: list[str], result: str) -> None:
        nodes.append(helper.make_node(kind, sources, [result]))

    add("Reshape", ["sample", "flat"], "rows")
    linear("rows", "start", horizon * channels, WIDTH)
    weights["column"] = np.array([[1.0]], np.float32)
    add("Mul", ["level", "column"], "level_row")
    linear("level_row", "of_level", 1, WIDTH)
    linear("condition", "of_condition", condition, WIDTH)
    add("Add", ["of_level", "of_condition"], "film")
    add("Add", ["start", "film"], "x0")
    for i in range(BLOCKS):
        add("LayerNormalization", [f"x{i}", "one"], f"norm{i}")
        add("Add", [f"norm{i}", "film"], f"told{i}")
        linear(f"told{i}", f"inner{i}", WIDTH, WIDTH)
        add("Sigmoid", [f"inner{i}"], f"gate{i}")
        add("Mul", [f"inner{i}", f"gate{i}"], f"silu{i}")
        linear(f"silu{i}", f"outer{i}", WIDTH, WIDTH)
        add("Add", [f"x{i}", f"outer{i}"], f"x{i + 1}")
    linear(f"x{BLOCKS}", "head", WIDTH, horizon * outputs)
    add("Reshape", ["head", "window"], "prediction")
    inputs = {"sample": ("K", horizon, channels), "level": (1,), "condition": (1, condition)}
    return _model(nodes, inputs, {"prediction": ("K", horizon, outputs)}, weights)


def bundle_of(graphs: Mapping[str, bytes]) -> Bundle:
    """A bundle in memory that holds some graphs and makes no claims."""
    specs = {}
    for name, content in graphs.items():
        graph = onnx.load_model_from_string(content).graph
        inputs, outputs = (
            tuple(TensorSpec(node.name, _shape(node), "1") for node in side)
            for side in (graph.input, graph.output)
        )
        digest = hashlib.sha256(content).hexdigest()
        specs[name] = GraphSpec(f"{name}.onnx", digest, inputs, outputs)
    manifest = Manifest(
        format_version=FORMAT_VERSION, name="benchmark", kind="benchmark", robot="none",
        frame_id="none", dof_names=("none",), dof_units=("1",), horizon=2, dt_s=0.1, candidates=1,
        stochastic=True, scan=ScanSpec(4, 1.0), limits={}, graphs=specs,
        normalisation=Statistics((0.0,), (1.0,)), sampler=None,
        provenance=Provenance("none", "none", "0", "none", "none", 0),
    )  # fmt: skip
    return Bundle(Path(), manifest, graphs)


def multiplications(content: bytes, candidates: int) -> int:
    """Floating-point operations of the products of a graph: two for each multiplication.

    Products and convolutions are counted, which is what a processor's peak is measured with; the
    rest of a graph moves data.

    Args:
        content: The graph.
        candidates: ``K``.

    Raises:
        ValueError: The shape of a product does not follow from the graph.
    """
    model = onnx.load_model_from_string(content)
    del model.graph.value_info[:]
    for node in [*model.graph.input, *model.graph.output]:
        for dim in node.type.tensor_type.shape.dim:
            if dim.dim_param:
                dim.dim_value = candidates
    graph = shape_inference.infer_shapes(model, data_prop=True).graph
    shapes = {node.name: _shape(node) for node in [*graph.input, *graph.output, *graph.value_info]}
    shapes |= {weights.name: tuple(weights.dims) for weights in graph.initializer}
    total = 0
    for node in graph.node:
        if node.op_type not in ("MatMul", "Gemm", "Conv"):
            continue
        result, operand = shapes.get(node.output[0], ("?",)), shapes.get(node.input[1], ("?",))
        if any(isinstance(size, str) for size in (*result, *operand)):
            raise ValueError(f"the shape of {node.name} does not follow from its graph")
        transposed = any(a.name == "transB" and a.i for a in node.attribute)
        if node.op_type == "Conv":
            inner = math.prod(operand[1:])
        else:
            inner = operand[-1] if transposed else operand[-2] if len(operand) > 1 else operand[0]
        total += 2 * math.prod(result) * inner
    return total


def _shape(node: onnx.ValueInfoProto) -> tuple[Any, ...]:
    """Sizes, and a name for each that is free."""
    dims = node.type.tensor_type.shape.dim
    return tuple(dim.dim_param or ("?" if not dim.HasField("dim_value") else dim.dim_value)
                 for dim in dims)  # fmt: skip


def _model(
    nodes: list[onnx.NodeProto],
    inputs: Mapping[str, tuple[Any, ...]],
    outputs: Mapping[str, tuple[Any, ...]],
    weights: Mapping[str, NDArray[Any]],
) -> bytes:
    def info(named: Mapping[str, tuple[Any, ...]]) -> list[onnx.ValueInfoProto]:
        return [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
            for name, shape in named.items()
        ]

    tensors = [numpy_helper.from_array(values, name) for name, values in weights.items()]
    graph = helper.make_graph(nodes, "benchmark", info(inputs), info(outputs), tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    content: bytes = model.SerializeToString()
    return content
