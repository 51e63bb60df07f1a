"""Median time of one planning step on one thread."""

from __future__ import annotations

import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch
from torch import Tensor, nn

WARM_UP_CALLS = 20


def step_ms(call: Callable[[], object], calls: int = 50) -> float:
    """Median time [ms] of a call, after some that do not count."""
    for _ in range(WARM_UP_CALLS):
        call()
    times = []
    for _ in range(calls):
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return float(np.median(times) * 1e3)


def graph_step_ms(step: nn.Module, example: tuple[Tensor, ...], calls: int = 500) -> float:
    """Median time [ms] of a step in onnxruntime, as the robot runs it: one thread, no spinning.

    Args:
        step: The whole planning step, scoring and choice included.
        example: Its inputs, which fix all shapes.
        calls: Calls that count.
    """
    session = _session(_onnx(step, example))
    names = [node.name for node in session.get_inputs()]
    feed = {name: x.numpy() for name, x in zip(names, example, strict=True)}
    return step_ms(lambda: session.run(None, feed), calls)


def _onnx(step: nn.Module, example: tuple[Tensor, ...]) -> bytes:
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        # The exporter warns of what it does to graphs without dynamic shapes.
        warnings.simplefilter("ignore")
        path = Path(folder) / "step.onnx"
        torch.onnx.export(
            step.eval(), example, path, dynamo=True, external_data=False, verbose=False
        )
        return path.read_bytes()


def _session(graph: bytes) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
