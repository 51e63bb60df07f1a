"""Training methods behind one loss interface."""

from trajectory_learning.methods.behaviour_cloning import BehaviourCloning
from trajectory_learning.methods.energy import EnergyScore
from trajectory_learning.methods.grouped_drift import GroupedDrift
from trajectory_learning.methods.interface import Method
from trajectory_learning.methods.keyed_drift import KeyedDrift

METHODS: dict[str, type[Method]] = {
    "energy": EnergyScore,
    "grouped_drift": GroupedDrift,
    "keyed_drift": KeyedDrift,
    "behaviour_cloning": BehaviourCloning,
}

__all__ = ["METHODS", "BehaviourCloning", "EnergyScore", "GroupedDrift", "KeyedDrift", "Method"]
