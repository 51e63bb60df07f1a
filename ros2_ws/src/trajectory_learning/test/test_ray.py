"""Benchmark rows and flights on a Ray cluster of two machines that are processes here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from planner_core.errors import ConfigurationError, DriftpilotError
from trajectory_learning import parallel
from trajectory_learning.__main__ import main
from trajectory_learning.benchmarks import runner
from trajectory_learning.benchmarks.interface import Trial
from trajectory_learning.problems import navigation_data
from trajectory_learning.problems.navigation_data import DataConfig

ray = pytest.importorskip("ray", reason="Ray is not installed: requirements/ray.txt")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
ROWS = ["affine recombination, no training", "cheapest of the 64 nearest windows"]


def test_no_cluster_at_an_address_is_a_clear_error() -> None:
    with pytest.raises(ConfigurationError, match="no Ray cluster"):
        parallel.cluster("auto")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Of a cluster of two nodes of one core each."""
    from ray.cluster_utils import Cluster

    cluster = Cluster()
    for _ in range(2):
        cluster.add_node(num_cpus=1, include_dashboard=False, object_store_memory=100_000_000)
    yield cluster.address
    ray.shutdown()
    cluster.shutdown()


def figures(folder: Path, *where: str) -> list[dict[str, Any]]:
    file = folder / "figures.json"
    command = ["benchmark", "mass_spring", "--quick", "--settings", "H=30", "--rows", *ROWS,
               "--json", str(file), "--out", str(folder), *where]  # fmt: skip
    assert main(command) == 0
    rows: list[dict[str, Any]] = json.loads(file.read_text())["rows"]
    # A time is never the same twice.
    return [{**row, "step_ms_p50": None, "train_cpu_s": None} for row in rows]


def test_rows_of_a_cluster_are_those_of_this_machine(address: str, tmp_path: Path) -> None:
    assert figures(tmp_path / "ray", "--ray", address) == figures(tmp_path / "here")
    assert parallel.cluster(address)[1] == 2


def test_flights_of_a_cluster_are_those_of_this_machine(address: str) -> None:
    config = DataConfig(worlds=navigation_data.WORLDS_AT_ONCE + 1, flights_per_world=1)
    there = navigation_data.fly(config, progress=False, ray=address)
    here = navigation_data.fly(config, progress=False)
    np.testing.assert_equal(vars(there), vars(here))


def test_a_row_that_fails_there_is_named_here(address: str, tmp_path: Path) -> None:
    row = tmp_path / "row.json"
    job = runner.Job("mass_spring", ("magic",), Trial("H=30", quick=True), (row,))
    with pytest.raises(DriftpilotError, match="magic"):
        runner.finish([job], runner.Request("mass_spring", tmp_path, ray=address))
    assert not row.exists()
