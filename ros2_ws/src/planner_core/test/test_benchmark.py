"""The latency benchmark: its arithmetic, its cases, its report."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from planner_core.benchmark import FACTOR, Run, Timing, factor, main, measure, table, time_joints
from planner_core.benchmark_graphs import (
    BLOCKS,
    WIDTH,
    bundle_of,
    denoiser_graph,
    multiplications,
    product_graph,
)
from planner_core.inference import Graph


def test_arithmetic_of_known_graphs() -> None:
    assert multiplications(product_graph(64), 1) == 2 * 64**3
    # K rows through three layers and 2 layers a block; the level and the condition have one row.
    rows = 4 * 6 * WIDTH + 2 * BLOCKS * WIDTH**2 + WIDTH * 4 * 5
    once = WIDTH + 7 * WIDTH
    graph = denoiser_graph(horizon=4, channels=6, outputs=5, condition=7)
    assert multiplications(graph, 9) == 2 * (9 * rows + once)


def test_the_denoiser_sees_all_it_is_told() -> None:
    bundle = bundle_of({"planner": denoiser_graph(4, 6, 5, 7)})
    graph = Graph(bundle, "planner")
    rng = np.random.default_rng(0)
    inputs = {
        "sample": rng.standard_normal((3, 4, 6), dtype=np.float32),
        "level": np.ones(1, dtype=np.float32),
        "condition": rng.standard_normal((1, 7), dtype=np.float32),
    }
    usual = graph.run(["prediction"], inputs)[0]
    assert usual.shape == (3, 4, 5)
    for name in inputs:
        other = graph.run(["prediction"], inputs | {name: inputs[name] + 1})[0]
        assert np.abs(other - usual).max() > 1e-3, name


def test_warming_up_is_not_timed() -> None:
    calls: list[int] = []
    durations, processor_s = measure(lambda: calls.append(1), 0.0)
    assert len(calls) == len(durations) + 3
    assert (durations >= 0).all()
    assert processor_s >= 0


def test_a_bundle_is_timed_and_reported(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report, page = tmp_path / "latency.json", tmp_path / "latency.md"
    arguments = ["latency", "--models", str(folder.parent), "--bundle", folder.name]
    arguments += ["--candidates", "1", "16", "--seconds", "0", "--json", str(report)]
    assert main([*arguments, "--markdown", str(page)]) == 0
    rows = json.loads(report.read_text())
    keys = {"bundle", "generator", "K", "p50_ms", "p90_ms", "p99_ms", "cpu_ms", "peak_share"}
    assert all(set(row) == keys for row in rows)
    assert [(row["bundle"], row["generator"], row["K"]) for row in rows] == [
        ("tiny", "one_step", 1), ("tiny", "one_step", 16),
    ]  # fmt: skip
    for row in rows:
        assert 0 < row["p50_ms"] <= row["p90_ms"] <= row["p99_ms"]
    assert "| tiny | one_step | 16 |" in page.read_text()
    assert "| tiny | one_step | 16 |" in capsys.readouterr().out


def test_a_missing_bundle_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["latency", "--models", str(tmp_path), "--bundle", "none"]) == 1
    assert "E301" in capsys.readouterr().err


def test_joint_samplers_do_the_arithmetic_of_both_networks() -> None:
    single, joint = time_joints(Run(0.0, 1e11))
    assert (single.K, joint.K) == (1, 1)
    work = [t.peak_share * t.p50_ms for t in (single, joint)]
    assert 1.5 < work[1] / work[0] < 2.0


def test_the_factor_compares_like_with_like() -> None:
    def row(generator: str, count: int, p50: float) -> Timing:
        return Timing("x", generator, count, p50, p50, p50, p50, 0.1)

    rows = [
        row("one_step", 64, 0.5), row("one_step", 1, 0.1), row("diffuser, 20 steps from noise", 64,
        100.0), row("diffuser, 5 steps from the last plan", 64, 25.0),
    ]  # fmt: skip
    assert factor(rows) == pytest.approx(200.0)
    assert math.isclose(FACTOR, 100)
    assert factor(rows[:2]) is None
    assert len(table(rows).splitlines()) == 6
