from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest
from planner.benchmark import __main__ as benchmark
from planner.benchmark.machine_floor import machine_floor
from planner.benchmark.system import table


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["benchmark", *arguments])
    return benchmark.main()


def test_a_sweep_writes_rows_and_a_picture(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file, picture = tmp_path / "out" / "delay.json", tmp_path / "out" / "delay.png"
    options = ["--planners", "straight_line", "--chunks", "2", "4", "--delays-ms", "0", "100"]
    assert run(monkeypatch, "delay", *options, "--worlds", "1", "--json", str(file),
               "--plot", str(picture)) == 0  # fmt: skip
    rows = json.loads(file.read_text())
    assert [(row["chunk"], row["delay_ms"]) for row in rows] == [(2, 0), (2, 100), (4, 0), (4, 100)]
    assert {"success", "rms_jerk", "held_share", "largest_splice_m"} <= set(rows[0])
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_an_unknown_planner_is_an_error_with_a_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "delay", "--planners", "oracle") == 1
    assert "[E104]" in capsys.readouterr().err


def test_the_floor_of_the_machine_is_measured_beside_a_flight() -> None:
    began = time.monotonic()
    with machine_floor(1.0) as floor:
        assert floor == {}
        time.sleep(1.0)
    assert time.monotonic() - began >= 1.0
    assert 50 <= floor["periods"] <= 101
    assert 0 <= floor["missed_periods"] <= floor["periods"]
    assert floor["longest_gap_ms"] >= 9.0


def test_the_table_has_every_figure() -> None:
    percentiles = {"p50": 1.0, "p90": 2.0, "p99": 3.0}
    text = table(
        {
            "first_plan_s": [1.5], "replan_hz": 99.9, "planning_ms": percentiles,
            "end_to_end_ms": percentiles, "period_error_p99_ms": 0.4, "missed_periods": 1,
            "periods": 1000, "missed_share": 0.001, "longest_command_gap_ms": 12.0, "flights": 3,
            "machine_floor": {
                "missed_periods": 7, "periods": 999, "missed_share": 0.007, "longest_gap_ms": 52.6
            },
            "failed": [], "cpu_share": {"planner_server": 0.25},
            "swaps": {"count": 50, "without_missed_period": 50, "longest_plan_gap_ms": 30.0},
        }
    )  # fmt: skip
    for figure in (
        "1.50 s",
        "99.9 Hz",
        "1 of 1000 (0.10%)",
        "7 of 999 (0.70%)",
        "52.6 ms",
        "50 of 50",
        "25.0%",
    ):
        assert figure in text
