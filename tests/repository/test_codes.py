"""Codes in messages are those of the error tree."""

from __future__ import annotations

from planner_core.errors import error_codes
from planner_core.executor import Mode
from planner_core.ladder import Rung
from planner_core.monitor import PlannerState
from planner_core.navigation_task import Outcome
from planner_interfaces.action import Navigate
from planner_interfaces.msg import BridgeStatus, ExecutionStatus, PlannerStatus
from robot_bridge.bridge import Phase


def constants(message: type) -> dict[str, int]:
    """The constants of a message, by name."""
    return {
        name: getattr(message, name)
        for name in dir(type(message))
        if name.isupper() and not name.startswith("_")
    }


def test_goal_codes() -> None:
    known = set(error_codes()) | {int(outcome) for outcome in Outcome}
    assert len(constants(Navigate.Result)) > 10
    assert set(constants(Navigate.Result).values()) <= known


def test_outcomes_are_the_results_of_the_action() -> None:
    named = constants(Navigate.Result)
    for outcome in Outcome:
        name = "NONE" if outcome is Outcome.SUCCESS else outcome.name
        assert named[name] == outcome


def test_states_have_the_numbers_of_their_messages() -> None:
    for enums, message in (
        ((Mode, Rung), ExecutionStatus), ((PlannerState,), PlannerStatus),
        ((Phase,), BridgeStatus),
    ):  # fmt: skip
        named = {member.name: member.value for enum in enums for member in enum}
        assert named == constants(message)
