"""The benchmark framework, on a problem of its own that takes no time."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from planner_core.errors import ConfigurationError, DriftpilotError, UnknownPluginError
from trajectory_learning import benchmarks
from trajectory_learning.__main__ import main
from trajectory_learning.benchmarks import (
    Measure,
    Paths,
    Row,
    Score,
    Trial,
    load_problem,
    results,
    runner,
)


class Counting:
    """Two settings; rows "a" and "b" share a model, "c" has seeds; counts its calls."""

    name, title = "counting", "A problem for tests"

    def __init__(self) -> None:
        self.calls: list[tuple[tuple[str, ...], Trial]] = []
        self.scale = 1.0
        self.broken = ""

    def settings(self) -> Sequence[str]:
        return ("near", "far")

    def rows(self, setting: str) -> Sequence[Row]:
        return [Row("a", "shared", {"error": 2.0}), Row("b", "shared"), Row("c", seeded=True)]

    def configuration(self, quick: bool) -> Mapping[str, Any]:
        return {"scale": self.scale, "quick": quick}

    def run(self, methods: Sequence[str], trial: Trial) -> Mapping[str, Score]:
        if self.broken in methods:
            raise ValueError("broken on purpose")
        self.calls.append((tuple(methods), trial))
        values = np.arange(1.0, 6.0) * self.scale + trial.seed
        measure = Measure(values, np.full(5, 2.0))
        return {name: Score({"error": measure}, 3.0, 0.5) for name in methods}


@pytest.fixture
def problem(monkeypatch: pytest.MonkeyPatch) -> Counting:
    made = Counting()
    monkeypatch.setattr(runner, "load_problem", lambda name: made)
    return made


def request(out: Path, **options: Any) -> runner.Request:
    return runner.Request("counting", out, **options)


def test_rows_of_one_model_run_together_and_claims_with_every_seed(
    problem: Counting, tmp_path: Path
) -> None:
    runner.run(request(tmp_path, seeds=2))
    asked = [(methods, trial.setting, trial.seed) for methods, trial in problem.calls]
    assert asked == [
        (("a", "b"), "near", 0), (("c",), "near", 0), (("c",), "near", 1),
        (("a", "b"), "far", 0), (("c",), "far", 0), (("c",), "far", 1),
    ]  # fmt: skip


def test_a_finished_row_is_not_run_again(problem: Counting, tmp_path: Path) -> None:
    problem.broken = "c"
    with pytest.raises(ValueError, match="on purpose"):
        runner.run(request(tmp_path, settings=("near",)))
    problem.broken = ""
    runner.run(request(tmp_path, settings=("near",), seeds=1))
    assert [methods for methods, _ in problem.calls] == [("a", "b"), ("c",)]


def test_a_row_that_is_added_runs_without_those_of_its_model(
    problem: Counting, tmp_path: Path
) -> None:
    runner.run(request(tmp_path, settings=("near",), rows=("a",)))
    runner.run(request(tmp_path, settings=("near",), rows=("a", "b")))
    assert [methods for methods, _ in problem.calls] == [("a",), ("b",)]


@pytest.mark.parametrize("change", ["scale", "quick", "episode_seed"])
def test_another_configuration_is_another_result(
    problem: Counting, tmp_path: Path, change: str
) -> None:
    once = runner.run(request(tmp_path))
    calls = len(problem.calls)
    options: dict[str, Any] = {"quick": {"quick": True}, "episode_seed": {"episode_seed": 4}}.get(
        change, {}
    )
    if change == "scale":
        problem.scale = 3.0
    again = runner.run(request(tmp_path, **options))
    assert len(problem.calls) == 2 * calls
    assert (again[0]["mean"] == once[0]["mean"]) is (change != "scale")


def test_lines_carry_figure_interval_and_seeds(problem: Counting, tmp_path: Path) -> None:
    lines = runner.run(request(tmp_path, settings=("near",), seeds=2))
    a, _, c = lines
    assert a["mean"] == pytest.approx(1.5)
    assert a["paper"] == 2.0
    assert c["paper"] is None
    assert c["seed_means"] == pytest.approx([1.5, 2.0])
    assert c["mean"] == pytest.approx(1.75)
    assert a["ci_low"] < a["mean"] < a["ci_high"]
    assert (a["train_cpu_s"], a["step_ms_p50"]) == (3.0, 0.5)
    table = (tmp_path / "table.md").read_text()
    assert "| a | error | 1.500 [" in table
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("options", "existing"), [({"rows": ("d",)}, "a; b; c"), ({"settings": ("up",)}, "near; far")]
)
def test_unknown_rows_and_settings_list_what_exists(
    problem: Counting, tmp_path: Path, options: dict[str, Any], existing: str
) -> None:
    with pytest.raises(ConfigurationError, match=existing):
        runner.run(request(tmp_path, **options))
    assert problem.calls == []


def test_an_unknown_problem_lists_what_exists(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UnknownPluginError, match="bimodal"):
        load_problem("magic")
    assert main(["benchmark", "magic"]) == 1
    assert "mass_spring" in capsys.readouterr().err


def test_interval_of_a_mean_covers_it_and_narrows_with_episodes() -> None:
    values = np.random.default_rng(0).normal(10.0, 2.0, 400)
    mean, low, high = results.interval(Measure(values))
    _, few_low, few_high = results.interval(Measure(values[:25]))
    assert low < mean < high
    # The normal interval of a mean is 1.96 standard errors to either side.
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)
    assert few_high - few_low > 2 * (high - low)


def test_interval_of_a_ratio_resamples_episodes_as_pairs() -> None:
    reference = np.random.default_rng(0).lognormal(0.0, 1.0, 50)
    assert results.interval(Measure(1.2 * reference, reference)) == pytest.approx((1.2, 1.2, 1.2))


def test_interval_without_spread_is_the_figure() -> None:
    assert results.interval(Measure(np.full(10, 3.0))) == (3.0, 3.0, 3.0)
    assert results.interval(Measure(np.array([3.0]))) == (3.0, 3.0, 3.0)


def test_a_score_survives_its_file() -> None:
    score = Score({"m": Measure(np.array([1.0, 2.0]), np.array([1.0, 1.0]))}, 1.5, None)
    again = results.score_from_json(json.loads(json.dumps(results.score_as_json(score))))
    assert again.measures["m"].values.tolist() == [1.0, 2.0]
    assert again.measures["m"].reference is not None
    assert (again.train_cpu_s, again.step_ms_p50) == (1.5, None)
    assert again.paths is None


def test_paths_survive_their_file_and_are_drawn(tmp_path: Path) -> None:
    way = np.cumsum(np.random.default_rng(0).normal(size=(50, 200, 2)), axis=1)
    paths = Paths.thinned(way, way[:7, :30])
    assert paths.data.shape == (20, 60, 2)
    assert np.array_equal(paths.data[-1, -1], way[-1, -1])
    assert np.array_equal(paths.driven, way[:7, :30])
    content = json.loads(json.dumps(results.score_as_json(Score({}, paths=paths))))
    again = results.score_from_json(content).paths
    assert again is not None
    np.testing.assert_allclose(again.data, paths.data, atol=1e-3)
    results.draw_paths({"a row": again}, tmp_path / "paths.png")
    assert (tmp_path / "paths.png").stat().st_size > 10_000
    del content["paths"]
    assert results.score_from_json(content).paths is None


@pytest.mark.parametrize("name", benchmarks.PROBLEMS)
def test_every_problem_keeps_the_contract(name: str) -> None:
    problem = load_problem(name)
    assert problem.name == name
    for quick in (True, False):
        assert json.loads(json.dumps(problem.configuration(quick)))
    for setting in problem.settings():
        methods = [row.method for row in problem.rows(setting)]
        assert methods
        assert len(set(methods)) == len(methods)


@pytest.mark.parametrize("name", ["bimodal", "mass_spring"])
def test_behaviour_cloning_is_among_the_rows(name: str) -> None:
    problem = load_problem(name)
    for setting in problem.settings():
        assert "behaviour cloning" in [row.method for row in problem.rows(setting)]


def test_list_shows_problems_methods_and_networks(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    shown = capsys.readouterr().out
    for name in (*benchmarks.PROBLEMS, "affine recombination", "energy", "late_branch"):
        assert name in shown


def test_benchmark_command_in_two_processes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "figures.json"
    command = ["benchmark", "mass_spring", "--quick", "--settings", "H=30", "--jobs", "2", "--rows",
               "affine recombination, no training", "cheapest of the 64 nearest windows",
               "--json", str(file), "--out", str(tmp_path / "run")]  # fmt: skip
    assert main(command) == 0
    content = json.loads(file.read_text())
    assert content["problem"] == "mass_spring"
    assert content["settings"]["quick"] is True
    affine, cheapest = content["rows"]
    assert affine["metric"] == "cost over oracle"
    assert affine["mean"] < 1.01 < cheapest["mean"]
    assert "affine recombination" in capsys.readouterr().out


def test_a_row_that_fails_in_its_process_is_named(tmp_path: Path) -> None:
    trial, files = Trial("H=30", quick=True), [tmp_path / "broken.json", tmp_path / "sound.json"]
    jobs = [
        runner.Job("mass_spring", (method,), trial, (file,))
        for method, file in zip(("magic", "affine recombination, no training"), files, strict=True)
    ]
    with pytest.raises(DriftpilotError, match="magic"):
        runner.finish(jobs, request(tmp_path, jobs=2))
    # The one beside it comes to its end, and is kept.
    assert [file.exists() for file in files] == [False, True]


def test_a_cluster_without_ray_is_a_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    command = ["benchmark", "mass_spring", "--quick", "--ray", "auto", "--out", str(tmp_path)]
    assert main(command) == 1
    assert "requirements/ray.txt" in capsys.readouterr().err


def test_background_leaves_at_once_and_finishes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []
    monkeypatch.setattr(
        runner.subprocess, "Popen", lambda command, **how: started.append((command, how)) or Fake()
    )
    assert main(["benchmark", "bimodal", "--background", "--out", str(tmp_path)]) == 0
    ((command, how),) = started
    assert command[1:] == ["-m", "trajectory_learning", "benchmark", "bimodal", "--out",
                           str(tmp_path)]  # fmt: skip
    assert how["start_new_session"]
    assert "process 7" in capsys.readouterr().out


class Fake:
    """A process that was started."""

    pid = 7
