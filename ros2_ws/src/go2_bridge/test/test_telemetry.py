"""What is lost, damaged and restarted is counted; nothing damaged is used."""

from __future__ import annotations

import numpy as np
import pytest
from go2_bridge.telemetry import Telemetry
from go2_fakes import low_state
from planner_core.clock import ManualClock


def test_losses_are_the_gaps_of_the_robots_clock() -> None:
    telemetry = Telemetry(ManualClock().steady_ns)
    for tick in (2, 4, 10, 12):
        telemetry.receive(low_state(tick))
    assert (telemetry.reception.received, telemetry.reception.lost) == (4, 2)


def test_the_robots_clock_may_run_over() -> None:
    telemetry = Telemetry(ManualClock().steady_ns)
    for tick in (2**32 - 2, 0, 4):
        telemetry.receive(low_state(tick))
    assert (telemetry.reception.lost, telemetry.reception.restarts) == (1, 0)


def test_damaged_samples_do_not_count_as_heard() -> None:
    clock = ManualClock()
    telemetry = Telemetry(clock.steady_ns)
    telemetry.receive(low_state(2))
    clock.advance(0.3)
    assert telemetry.receive(low_state(4, wrong_crc=True)) is None
    assert telemetry.receive(low_state(6)[:-8]) is None
    assert (telemetry.reception.bad_crc, telemetry.reception.malformed) == (1, 1)
    assert telemetry.age_s == pytest.approx(0.3)
    assert telemetry.state is not None
    assert telemetry.state.tick_ms == 2


@pytest.mark.parametrize(
    "change",
    [
        {"q": np.nan}, {"q": -np.inf}, {"q": 1e30}, {"quaternion": np.zeros(4)},
        {"quaternion": np.full(4, np.nan)},
    ],
)  # fmt: skip
def test_absurd_samples_do_not_count_as_heard(change: dict[str, object]) -> None:
    """The robot would stand up from where they say that its joints are."""
    clock = ManualClock()
    telemetry = Telemetry(clock.steady_ns)
    telemetry.receive(low_state(2))
    clock.advance(0.3)
    assert telemetry.receive(low_state(4, **change)) is None  # type: ignore[arg-type]
    assert telemetry.reception.absurd == 1
    assert telemetry.age_s == pytest.approx(0.3)
    assert telemetry.state is not None
    assert telemetry.state.tick_ms == 2


def test_a_restart_is_told_before_the_sample_counts() -> None:
    seen: list[int] = []
    telemetry = Telemetry(
        ManualClock().steady_ns,
        lambda: seen.append(telemetry.state.tick_ms if telemetry.state else -1),
    )
    for tick in (500_000, 500_002, 2):
        telemetry.receive(low_state(tick))
    assert seen == [500_002]
    assert telemetry.reception.restarts == 1
    assert telemetry.reception.lost == 0


def test_quality_is_the_share_of_the_last_second() -> None:
    clock = ManualClock()
    telemetry = Telemetry(clock.steady_ns)
    assert telemetry.quality == 0.0
    for tick in range(2, 2400, 4):
        telemetry.receive(low_state(tick))
        clock.advance(0.004)
    assert telemetry.quality == pytest.approx(0.5, abs=0.01)
    clock.advance(1.5)
    assert telemetry.quality == 0.0
