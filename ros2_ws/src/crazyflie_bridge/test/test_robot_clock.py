"""Robot time on the host's clock, from packets that are late by different amounts."""

from __future__ import annotations

import random
from itertools import pairwise

from crazyflie_bridge.robot_clock import COUNTER, RobotClock
from hypothesis import given
from hypothesis import strategies as st

MS = 1_000_000


@given(
    start_ms=st.integers(0, COUNTER - 1),
    offset_ns=st.integers(-(10**15), 10**15),
    delays_ms=st.lists(st.floats(0.0, 150.0), min_size=1, max_size=60),
)
def test_never_later_than_the_packet_and_as_late_as_the_fastest(
    start_ms: int, offset_ns: int, delays_ms: list[float]
) -> None:
    clock = RobotClock()
    fastest = float("inf")
    for i, delay_ms in enumerate(delays_ms):
        made_ms = start_ms + 10 * i
        received_ns = made_ms * MS + offset_ns + round(delay_ms * MS)
        host_ns = clock.host_ns(made_ms % COUNTER, received_ns)
        fastest = min(fastest, delay_ms)
        assert host_ns <= received_ns
        assert abs(host_ns - (made_ms * MS + offset_ns) - fastest * MS) <= 1


def test_jitter_does_not_reach_the_stamps() -> None:
    clock, dice = RobotClock(), random.Random(0)
    hosts = [
        clock.host_ns(10 * i, 10 * i * MS + round(dice.expovariate(1 / 3) * MS) + 7 * MS)
        for i in range(400)
    ]
    steps = [(b - a) / MS for a, b in pairwise(hosts[100:])]
    assert max(abs(step - 10) for step in steps) < 0.2


def test_follows_a_drift() -> None:
    clock, drift = RobotClock(window_s=2.0), 200e-6
    for i in range(3000):
        made_ms = 10 * i
        truth_ns = round(made_ms * (1 + drift) * MS)
        error_ms = (clock.host_ns(made_ms, truth_ns) - truth_ns) / MS
    # At most what the clocks drift apart within the window.
    assert -2000 * drift <= error_ms <= 0


def test_counter_that_runs_over() -> None:
    clock = RobotClock()
    clock.host_ns(COUNTER - 10, 0)
    assert clock.host_ns(10, 20 * MS) == 20 * MS


def test_packet_out_of_order_keeps_the_offset() -> None:
    clock = RobotClock()
    clock.host_ns(1000, 1000 * MS)
    clock.host_ns(1020, 1020 * MS)
    assert clock.host_ns(1010, 1025 * MS) == 1010 * MS
    assert clock.host_ns(1030, 1030 * MS) == 1030 * MS


def test_reboot_starts_anew() -> None:
    clock = RobotClock()
    clock.host_ns(500_000, 1_000 * MS)
    assert clock.host_ns(30, 3_000 * MS) == 3_000 * MS
    assert clock.host_ns(40, 3_012 * MS) == 3_010 * MS
