"""Figures of flights, against values computed by hand."""

from __future__ import annotations

import numpy as np
import pytest
from planner_interfaces.msg import Goal
from robot_view.errors import ReportError
from robot_view.flight import KEPT_CANDIDATES, Flight, FlightLog
from robot_view.key_figures import table, text_table
from synthetic_flight import (
    END_S,
    EXPECTED,
    START_S,
    candidates,
    flight_messages,
    goal,
    odometry,
    plan,
    synthetic_flight,
)


def values(flight: Flight) -> dict[str, str]:
    return {name: value for name, value, _ in table(flight)}


def test_figures_of_a_flight() -> None:
    assert values(synthetic_flight()) == EXPECTED


def test_published_figures_stand_beside() -> None:
    published = {name: text for name, _, text in table(synthetic_flight())}
    assert published["success"] == "94 %"
    assert published["replan rate"] == "38 Hz"
    assert published["end to end p99"] == "-"


def test_empty_flight_claims_nothing() -> None:
    assert set(values(FlightLog().flight()).values()) == {"-"}


@pytest.mark.parametrize(
    ("topic", "unknown"),
    [
        ("odometry", {"time to success", "least clearance"}),
        ("plan", {"replan rate", "planner p50", "planner p99"}),
        ("command", {"end to end p50", "end to end p99"}),
        ("execution/status", {"max command gap"}),
        ("world/markers", {"least clearance"}),
        ("plan/candidates", set()),
        ("bridge/status", set()),
    ],
)
def test_missing_topic_leaves_its_figures_open(topic: str, unknown: set[str]) -> None:
    found = values(synthetic_flight(without=(topic,)))
    assert {name for name, value in found.items() if value == "-"} == unknown
    if topic == "odometry":
        assert found["success"] == "0 of 1"


def test_robot_that_leaves_again_has_not_arrived() -> None:
    log = FlightLog()
    for topic, _, message in flight_messages():
        if topic == "goal" and message.kind == Goal.HOLD:
            message = goal(START_S + 1.0, Goal.HOLD)
        log.add(topic, message)
    assert values(log.flight())["success"] == "0 of 1"


def test_replaced_goal_counts_neither_way() -> None:
    log = FlightLog()
    log.add("goal", goal(START_S - 1.0))
    for topic, _, message in flight_messages():
        log.add(topic, message)
    flight = log.flight()
    assert [task.replaced for task in flight.tasks] == [True, False]
    assert values(flight)["success"] == "1 of 1"


def test_flight_is_under_way_between_goal_and_end() -> None:
    log = FlightLog()
    assert not log.under_way
    log.add("goal", goal(START_S))
    assert log.under_way
    log.add("goal", goal(END_S, Goal.REST))
    assert not log.under_way


def test_clear_keeps_the_world() -> None:
    log = FlightLog()
    for topic, _, message in flight_messages():
        log.add(topic, message)
    log.clear()
    flight = log.flight()
    assert len(flight.shapes) == 2
    assert not flight.tasks
    assert not len(flight.stamp_ns)


def test_candidates_of_a_long_flight_are_thinned_evenly() -> None:
    log = FlightLog()
    for i in range(10 * KEPT_CANDIDATES):
        log.add("plan/candidates", candidates(START_S + i))
    stamps = np.array([c.stamp_ns for c in log.flight().candidates])
    assert KEPT_CANDIDATES // 2 <= len(stamps) <= KEPT_CANDIDATES
    assert len(set(np.diff(stamps))) == 1


def test_candidates_of_another_size_than_stated_are_refused() -> None:
    message = candidates(START_S)
    message.count = 6
    with pytest.raises(ReportError, match=r"160 positions.*expected 6 x 8 x 4"):
        FlightLog().add("plan/candidates", message)


def test_table_for_a_terminal_is_aligned() -> None:
    lines = text_table(synthetic_flight()).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert len(lines) == 1 + len(EXPECTED)


def test_plan_that_does_not_say_its_time_is_left_out() -> None:
    log = FlightLog()
    silent = plan(START_S, 1)
    silent.planning_ms = 0.0
    for message in (silent, plan(START_S + 0.1, 2)):
        log.add("plan", message)
    assert values(log.flight())["planner p50"] == "5.0 ms"


def test_speed_is_that_of_the_twist() -> None:
    log = FlightLog()
    message = odometry(START_S)
    message.twist.twist.linear.y = 1.2
    log.add("odometry", message)
    assert log.flight().speed == pytest.approx([1.3])
