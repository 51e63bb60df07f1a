"""The data sets of the benchmark problems, as Minari files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from planner_core import dataset_file
from planner_core.errors import ConfigurationError, UnknownPluginError
from trajectory_learning.__main__ import main
from trajectory_learning.benchmarks import datasets
from trajectory_learning.problems.mass_spring_data import Plant, collect


@pytest.mark.parametrize("problem", datasets.NAMES)
def test_every_data_set_is_written_and_read(problem: str, tmp_path: Path, capsys):
    assert main(["data", problem, "--quick", "--out", str(tmp_path / "set")]) == 0
    read = dataset_file.load(tmp_path / "set")
    assert f"{len(read.episodes)} episodes, {read.total_steps} steps" in capsys.readouterr().out
    assert read.provenance["problem"] == problem
    assert read.provenance["setting"]
    assert read.provenance["command"].startswith("python -m trajectory_learning")
    for episode in read.episodes:
        for name in ("observations", "actions"):
            arrays = [v for k, v in episode.arrays.items() if k.split("/")[0] == name]
            assert arrays
            assert all(np.isfinite(values).all() for values in arrays)
        assert episode.arrays["truncations"][-1]


def test_the_numbers_are_those_that_the_benchmark_trains_on():
    made = datasets.make("mass_spring", "H=30", quick=True, command="test")
    driven = collect(Plant(), 30, 40)
    np.testing.assert_array_equal(made.episodes[3].arrays["observations"], driven.states[3])
    np.testing.assert_array_equal(made.episodes[3].arrays["actions"][:, 0], driven.forces[3])


def test_unknown_names_list_what_there_is():
    with pytest.raises(UnknownPluginError, match="point_maze"):
        datasets.make("bimodal", "", quick=True, command="")
    with pytest.raises(ConfigurationError, match="H=30"):
        datasets.make("mass_spring", "H=7", quick=True, command="")
