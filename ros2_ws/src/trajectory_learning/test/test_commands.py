"""The commands, end to end on a small scale."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from planner_core.bundle import load_bundle
from trajectory_learning.__main__ import main
from trajectory_learning.arguments import attribute_descriptions


@pytest.mark.slow
def test_data_train_export_evaluate(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    flights, checkpoint = tmp_path / "flights.h5", tmp_path / "energy.safetensors"
    bundle, results = tmp_path / "small", tmp_path / "results"
    assert main(["data", "navigation", "--out", str(flights), "--worlds", "20",
                 "--flights-per-world", "4"]) == 0  # fmt: skip
    small = ["--trunk-width", "64", "--branch-width", "32", "--trunk-blocks", "1"]
    assert main(["train", "navigation", "--data", str(flights), "--out", str(checkpoint),
                 "--seconds", "5", "--batch", "128", *small]) == 0  # fmt: skip
    assert checkpoint.with_suffix(".png").stat().st_size > 10_000
    assert main(["export", "navigation", "--checkpoint", str(checkpoint), "--out", str(bundle),
                 "--parity-inputs", "50"]) == 0  # fmt: skip
    assert main(["evaluate", "navigation", "--out", str(results), "--worlds", "10", "--record",
                 "--replan-s", "0.1", "--time-limit-s", "8",
                 "--planners", f"energy={bundle}", "straight_line"]) == 0  # fmt: skip
    figures = json.loads((results / "results.json").read_text())["planners"]
    assert set(figures) == {"energy", "straight_line"}
    manifest = load_bundle(bundle).manifest
    assert manifest.quality["unseen_success"] == figures["energy"]["success"]
    assert manifest.quality["parity_error"] <= 1e-4
    assert manifest.provenance.command.startswith("python -m trajectory_learning")
    assert (results / "flights.png").stat().st_size > 10_000
    assert "unseen_success" in (bundle / "README.md").read_text()
    assert "| energy |" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "navigation", "--data", "missing.h5", "--out", "x.safetensors"],
        ["train", "navigation", "--data", "missing.h5", "--out", "x", "--method", "magic"],
        ["export", "navigation", "--checkpoint", "missing.safetensors", "--out", "x"],
        ["evaluate", "navigation", "--out", "x", "--planners", "magic"],
        ["evaluate", "navigation", "--out", "x", "--planners", "energy=missing", "--worlds", "1"],
    ],
)
def test_mistakes_are_one_line_and_exit_code_1(arguments, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 1
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("error: ")


def test_every_option_is_described_once():
    @dataclass(frozen=True)
    class Config:
        """A configuration.

        Attributes:
            speed: How fast,
                over two lines [m/s].
        """

        speed: float = 1.0

    assert attribute_descriptions(Config) == {"speed": "How fast, over two lines [m/s]."}


def test_an_undescribed_option_is_an_error():
    @dataclass(frozen=True)
    class Config:
        """A configuration."""

        speed: float = 1.0

    with pytest.raises(KeyError, match="speed"):
        attribute_descriptions(Config)
