"""Malformed files and packets end in a clear error, never in a crash or a hang."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FOUND = {
    "refuse": "",
    "raise_another": "ValueError at faulty_readers.py",
    "abort": "ends its process: SIGABRT",
    "spin": "takes too long",
    "eat": "needs too much memory",
    "gorge": "needs too much memory",
    "linger": "takes too long",
    "leave": "ends its process: exit code 0",
    "sleep": "waits for ever",
    "exit": "SystemExit at faulty_readers.py",
}
"""What each faulty reader is found to do."""


def run(script: str, folder: Path, inputs: int, code: int = 0) -> tuple[str, dict[str, dict]]:
    """What was written to stderr, and the figures by reader."""
    file = folder / "figures.json"
    command = [sys.executable, HERE / script, "--inputs", str(inputs), "--json", file]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == code, f"{ended.returncode}\n{ended.stdout}\n{ended.stderr[-4000:]}"
    return ended.stderr, json.loads(file.read_text())


def check(folder: Path, inputs: int) -> None:
    _, figures = run("fuzzing.py", folder, inputs)
    assert len(figures) == 13
    assert sum(of["inputs"] for of in figures.values()) >= inputs
    # A reader that refuses nothing was not reached; packets are dropped without a word.
    for name, of in figures.items():
        if "(YAML)" in name or "(MCAP)" in name or "(JSON)" in name or "(safetensors)" in name:
            assert of["refused"] > 0, name


def test_a_thousand_malformed_inputs(tmp_path: Path) -> None:
    check(tmp_path, 1200)


def test_every_way_to_fail_is_found(tmp_path: Path) -> None:
    told, figures = run("faulty_readers.py", tmp_path, 3 * len(FOUND), code=1)
    for name, what in FOUND.items():
        assert f"{name}: {what}" in told or not what
        assert figures[name]["findings"] == bool(what), name
        assert figures[name]["refused"] == (not what)
        assert figures[name]["accepted"] == 2


@pytest.mark.study
@pytest.mark.timeout(7200)
def test_a_hundred_thousand_malformed_inputs(tmp_path: Path) -> None:
    check(tmp_path, 100_000)
