from __future__ import annotations

import pytest
from planner_core.clock import nanoseconds
from planner_core.delay import SLACK_S, WINDOW, DelayEstimate

PERIOD_S = 0.02


class Graph:
    """Plans one after the other, and the first command of each after a transport time."""

    def __init__(self) -> None:
        self.delay = DelayEstimate()
        self.now_s = 0.0
        self.number = 0

    def plan(self, planning_s: float, transport_s: float = 0.001) -> float:
        """One plan; returns how late it was entered."""
        self.number += 1
        start_s = self.now_s + self.delay.lead_s
        ready_s = self.now_s + planning_s
        self.delay.planned(
            self.number, planning_s, snapshot_ns=nanoseconds(self.now_s),
            ready_ns=nanoseconds(ready_s), start_ns=nanoseconds(start_s),
        )  # fmt: skip
        followed_s = max(ready_s + transport_s, start_s)
        self.delay.followed(self.number, nanoseconds(followed_s))
        self.now_s += max(PERIOD_S, followed_s - self.now_s)
        return followed_s - start_s


def test_a_spike_of_a_second_is_gone_after_its_window() -> None:
    graph = Graph()
    for _ in range(WINDOW):
        graph.plan(1.0)
    assert graph.delay.lead_s > 0.9
    leads = []
    for _ in range(WINDOW):
        graph.plan(0.002)
        leads.append(graph.delay.lead_s)
    print(f"lead after {WINDOW} plans: {leads[-1] * 1e3:.1f} ms")
    assert leads[-1] < 0.005
    assert max(leads) < 1.1


def test_one_spike_among_others_never_counts() -> None:
    graph = Graph()
    graph.plan(1.0)
    graph.plan(0.002)
    assert graph.delay.lead_s < 0.005


def test_planning_and_transport_add_up() -> None:
    graph = Graph()
    late_s = [graph.plan(0.004, transport_s=0.1) for _ in range(20 * WINDOW)][10 * WINDOW :]
    # It sinks until plans come late, and rises again: never far from what it is.
    assert 0.07 < graph.delay.lead_s < 0.11
    assert max(late_s) < 0.03 + SLACK_S
    assert graph.delay.executed_s == pytest.approx(0.104, abs=0.005)


def test_a_transport_that_was_long_does_not_confirm_itself() -> None:
    graph = Graph()
    for _ in range(WINDOW):
        graph.plan(0.002, transport_s=0.5)
    assert graph.delay.lead_s > 0.4
    for _ in range(20 * WINDOW):
        graph.plan(0.002, transport_s=0.001)
    assert graph.delay.lead_s < 0.03


def test_only_the_first_command_of_a_plan_counts() -> None:
    delay = DelayEstimate()
    delay.planned(5, 0.01, snapshot_ns=0, ready_ns=nanoseconds(0.01), start_ns=0)
    for stamp_s in (0.012, 0.022, 3.0):
        delay.followed(5, nanoseconds(stamp_s))
    delay.followed(99, nanoseconds(9.0))
    assert delay.executed_s == pytest.approx(0.012)


def test_a_clock_that_went_back_tells_nothing() -> None:
    delay = DelayEstimate()
    delay.planned(1, 0.01, snapshot_ns=nanoseconds(10), ready_ns=nanoseconds(10.01), start_ns=0)
    delay.followed(1, nanoseconds(2.0))
    assert delay.executed_s == 0.0
