"""Malformed files and packets end in a clear error, never in a crash or a hang."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

FUZZING = Path(__file__).with_name("fuzzing.py")


def run(inputs: int, timeout_s: float) -> dict[str, dict[str, float]]:
    """Results by target; in a process of its own, so that a crash is seen and ends no test."""
    command = [sys.executable, str(FUZZING), "--inputs", str(inputs), "--seed", "0"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
    assert ended.returncode == 0, f"exit code {ended.returncode}\n{ended.stderr[-4000:]}"
    return dict(json.loads(ended.stdout))


def check(results: dict[str, dict[str, float]], inputs: int) -> None:
    assert len(results) == 13
    assert sum(result["inputs"] for result in results.values()) >= inputs
    # A target that refuses nothing was not reached; packets are dropped without a word.
    for name, result in results.items():
        if "(YAML)" in name or "(MCAP)" in name or "(JSON)" in name or "(safetensors)" in name:
            assert result["refused"] > 0, name


def test_a_thousand_malformed_inputs() -> None:
    check(run(1200, 280.0), 1200)


@pytest.mark.study
@pytest.mark.timeout(7200)
def test_a_hundred_thousand_malformed_inputs() -> None:
    check(run(100_000, 7000.0), 100_000)
