"""The text beside the scene."""

from __future__ import annotations

import math

import pytest
from planner_interfaces.msg import BridgeStatus, ExecutionStatus, PlannerStatus
from robot_view import panel
from synthetic_flight import bridge_status, execution_status, planner_status


def test_planner() -> None:
    section = panel.planner_section(planner_status(0.0))
    assert (section.state, section.colour) == ("planning", panel.GOOD)
    rows = dict(section.rows)
    assert rows["replan rate"] == "20.0 Hz"
    assert rows["planning p50 / p99"] == "5.0 / 9.0 ms"
    assert rows["candidates feasible"] == "4 of 5"


def test_refusal_is_shown_only_while_it_lasts() -> None:
    msg = execution_status(0.0)
    msg.gate = "[E503] too fast"
    assert panel.execution_section(msg).notice == ""
    msg.consecutive_errors = 1
    assert panel.execution_section(msg).notice == "[E503] too fast"


@pytest.mark.parametrize(
    ("level", "voltage", "text"),
    [
        (0.8, 3.9, "80 %, 3.90 V"),
        (math.nan, 3.9, "3.90 V"),
        (0.8, math.nan, "80 %"),
        (math.nan, math.nan, "unknown"),
    ],
)
def test_battery(level: float, voltage: float, text: str) -> None:
    assert panel.battery(level, voltage) == text


def test_emergency_stop_hides_the_state() -> None:
    msg = bridge_status(0.0)
    msg.emergency_stopped = True
    assert panel.bridge_section(msg).state == "emergency stop"


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (panel.PLANNER_STATES, PlannerStatus),
        (panel.EXECUTION_MODES, ExecutionStatus),
        (panel.BRIDGE_STATES, BridgeStatus),
    ],
)
def test_every_state_of_the_messages_has_a_name(
    names: dict[int, tuple[str, str]], message: type
) -> None:
    # An execution status has a second set of constants: the rungs of its ladder.
    rungs = {"PLAN", "STANDBY", "HOLD", "END"} if message is ExecutionStatus else set()
    constants = [getattr(message, n) for n in dir(message) if n.isupper() and n not in rungs]
    assert sorted(number for number in constants if isinstance(number, int)) == sorted(names)


def test_old_status_is_silent() -> None:
    section = panel.planner_section(planner_status(0.0))
    assert panel.silence(section, 1.0) is section
    assert panel.silence(section, 5.0).state == "silent for 5 s"


def test_text_of_messages_cannot_become_markup() -> None:
    msg = bridge_status(0.0)
    msg.robot, msg.reasons = "<img src=x>", ["<script>"]
    html = panel.panel_html([panel.bridge_section(msg)])
    assert "<img" not in html
    assert "<script" not in html
    assert "&lt;script&gt;" in html
