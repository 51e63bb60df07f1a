"""Benchmarks: every method of a problem at equal data, training time and network."""

from __future__ import annotations

import importlib

from planner_core.errors import UnknownPluginError
from trajectory_learning.benchmarks.interface import Measure, Paths, Problem, Row, Score, Trial

PROBLEMS: dict[str, str] = {
    "bimodal": "trajectory_learning.problems.bimodal",
    "car_maze": "trajectory_learning.problems.car_maze",
    "defect": "trajectory_learning.problems.defect",
    "fetch": "trajectory_learning.problems.fetch",
    "go2": "trajectory_learning.problems.go2.table",
    "linear_system": "trajectory_learning.problems.linear_system",
    "mass_spring": "trajectory_learning.problems.mass_spring",
    "pendulum": "trajectory_learning.problems.pendulum",
    "point_maze": "trajectory_learning.problems.point_maze",
}
"""Module of each problem by name; the module holds the problem as ``PROBLEM``."""


def load_problem(name: str) -> Problem:
    """The problem of that name; its module is imported only now.

    Raises:
        UnknownPluginError: There is none.
    """
    if name not in PROBLEMS:
        raise UnknownPluginError(
            "unknown benchmark problem", got=name, expected=f"one of {', '.join(sorted(PROBLEMS))}"
        )
    problem: Problem = importlib.import_module(PROBLEMS[name]).PROBLEM
    return problem


__all__ = ["PROBLEMS", "Measure", "Paths", "Problem", "Row", "Score", "Trial", "load_problem"]
