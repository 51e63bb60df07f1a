"""The stock client library against the simulation, each in its own process, in real time."""

from __future__ import annotations

import importlib.util
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SCENARIOS = Path(__file__).with_name("cflib_scenarios.py")
TIMEOUT_S = 60.0

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("cflib") is None, reason="cflib is not installed"
)


@contextmanager
def vehicle(*arguments: str) -> Iterator[str]:
    """A running simulation; gives its URI."""
    command = [sys.executable, "-m", "robot_simulation.crazyflie", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        match = re.search(r"udp://\S+", line)
        assert match, line
        try:
            yield match.group()
        finally:
            process.send_signal(signal.SIGTERM)
            rest = process.stdout.read()
    assert process.returncode == 0
    assert "crashed" not in rest


def play(scenario: str, uri: str) -> dict:
    """Run a scenario and return what it measured."""
    done = subprocess.run(
        [sys.executable, str(SCENARIOS), scenario, uri],
        capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
    )  # fmt: skip
    results = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    assert results, done.stdout + done.stderr
    return json.loads(results[-1].removeprefix("RESULT "))


def test_stock_client_flies() -> None:
    with vehicle("--port", "0") as uri:
        result = play("fly", uri)
    assert result["connect_s"] < 5.0
    assert result["log_hz"] == pytest.approx(100.0, abs=1.0)
    assert result["log_gaps"] == 0
    assert result["tracking_error_m"] < 0.1
    assert result["locked_out"] is True
    assert "HL control is disabled" not in result["states"]
    assert "Is locked" not in result["states"]


def test_stock_client_makes_the_estimator_converge() -> None:
    with vehicle("--port", "0", "--positioning", "external") as uri:
        result = play("estimator", uri)
    assert result["before"] > 1.0
    assert result["took_s"] < 5.0
    assert result["position"] == pytest.approx([1.0, 2.0, 0.0], abs=0.05)


def test_stock_client_connects_over_a_lossy_link() -> None:
    with vehicle("--port", "0", "--packet-loss", "0.01") as uri:
        result = play("lossy", uri)
    assert result["log"] > 5
    assert result["param"] > 5


def test_stock_client_arms_and_stops() -> None:
    with vehicle("--port", "0", "--brushless") as uri:
        assert play("arm", uri) == {"before": False, "after": False}


def test_stock_client_finds_the_vehicle_in_a_scan() -> None:
    with vehicle("--port", "19857") as uri:
        assert uri in play("scan", uri)["found"]
