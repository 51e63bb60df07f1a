"""A tiny hand-made bundle: straight-ahead windows, no training, no torch."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from planner_core.bundle import save_manifest
from planner_core.manifest import (
    FORMAT_VERSION,
    GraphSpec,
    Manifest,
    Provenance,
    ScanSpec,
    Statistics,
    TensorSpec,
)

RAYS, HORIZON, NOISE = 8, 5, 3


def tiny_graph() -> bytes:
    """The window goes straight to the goal; accelerations are the noise; value = -noise[:, 0].

    All candidates are feasible, and each costs as much as its noise is large.
    """
    ramp = np.zeros((3, HORIZON, 1), dtype=np.float32)
    ramp[0, :, 0] = np.linspace(0, 1, HORIZON)
    constants = {
        "ramp": ramp, "ones": np.ones((1, 1, HORIZON), np.float32), "last": np.array([2]),
        "flat": np.array([-1]), "column": np.array([0]), "zero": np.zeros(1, np.float32),
        "axes": np.array([0]),
    }  # fmt: skip
    nodes = [
        helper.make_node("Mul", ["ramp", "goal"], ["window"]),
        helper.make_node("Unsqueeze", ["noise", "last"], ["column_noise"]),
        helper.make_node("Mul", ["column_noise", "ones"], ["acceleration"]),
        helper.make_node("Gather", ["noise", "column"], ["first"], axis=1),
        helper.make_node("Reshape", ["first", "flat"], ["flat_first"]),
        helper.make_node("Neg", ["flat_first"], ["value"]),
        helper.make_node("Abs", ["flat_first"], ["cost"]),
        helper.make_node("ReduceMin", ["scan", "axes"], ["nearest"], keepdims=1),
        helper.make_node("ReduceSum", ["velocity", "axes"], ["moving"], keepdims=1),
        helper.make_node("Mul", ["moving", "zero"], ["nothing"]),
        helper.make_node("Add", ["nearest", "nothing"], ["gap"]),
        helper.make_node("Add", ["cost", "gap"], ["clearance"]),
        helper.make_node("GreaterOrEqual", ["clearance", "zero"], ["feasible"]),
    ]

    def info(name: str, shape: list[int | str], kind: int = TensorProto.FLOAT):
        return helper.make_tensor_value_info(name, kind, shape)

    graph = helper.make_graph(
        nodes,
        "tiny",
        [
            info("scan", [RAYS]), info("velocity", [3]), info("goal", [3]),
            info("noise", ["K", NOISE]),
        ],
        [
            info("window", [3, HORIZON, 3]), info("value", ["K"]), info("clearance", ["K"]),
            info("feasible", ["K"], TensorProto.BOOL), info("cost", ["K"]),
            info("acceleration", ["K", 3, HORIZON]),
        ],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    return model.SerializeToString()


TINY_GRAPH = GraphSpec(
    "model.onnx", "",
    (
        TensorSpec("scan", (RAYS,), "m"), TensorSpec("velocity", (3,), "m/s"),
        TensorSpec("goal", (3,), "m"), TensorSpec("noise", ("K", NOISE), "1"),
    ),
    (
        TensorSpec("window", (3, HORIZON, 3), "m"), TensorSpec("value", ("K",), "m"),
        TensorSpec("clearance", ("K",), "m"), TensorSpec("feasible", ("K",), "1"),
        TensorSpec("cost", ("K",), "s"), TensorSpec("acceleration", ("K", 3, HORIZON), "m/s^2"),
    ),
)  # fmt: skip


def tiny_manifest(graph: bytes, **spec: object) -> Manifest:
    """The manifest that fits the graph, with some fields of its graph changed."""
    plan = replace(TINY_GRAPH, **{"sha256": hashlib.sha256(graph).hexdigest(), **spec})
    return Manifest(
        format_version=FORMAT_VERSION, name="tiny", kind="one_step_navigation",
        robot="crazyflie", frame_id="map", dof_names=("x", "y", "z", "yaw"),
        dof_units=("m", "m", "m", "rad"), horizon=HORIZON, dt_s=0.1, candidates=16,
        stochastic=True, scan=ScanSpec(RAYS, 3.0), limits={"speed_m_s": 1.5},
        graphs={"plan": plan},
        normalisation=Statistics((0.0,) * RAYS, (1.0,) * RAYS), sampler=None,
        provenance=Provenance("none", "none", "0", "0" * 64, "none", 0),
        quality={"success": 1.0}, latency={"p50_ms": 0.1},
    )  # fmt: skip


@pytest.fixture(name="tiny_manifest")
def _tiny_manifest() -> Manifest:
    return tiny_manifest(tiny_graph())


@pytest.fixture
def write_tiny_bundle(tmp_path: Path) -> Callable[..., Path]:
    """Writes the tiny bundle, with some fields of manifest or graph changed; returns its folder."""

    def write(name: str = "tiny", **changes: object) -> Path:
        graph, folder = tiny_graph(), tmp_path / name
        folder.mkdir()
        (folder / "model.onnx").write_bytes(graph)
        of_graph = {key: changes.pop(key) for key in set(changes) & set(GraphSpec.__slots__)}
        save_manifest(replace(tiny_manifest(graph, **of_graph), **changes), folder)
        return folder

    return write


@pytest.fixture
def folder(write_tiny_bundle: Callable[..., Path]) -> Path:
    """A tiny bundle."""
    return write_tiny_bundle()
