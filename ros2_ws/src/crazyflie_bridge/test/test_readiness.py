"""The rules that decide over take-off."""

from __future__ import annotations

from dataclasses import replace

import pytest
from crazyflie_bridge.readiness import (
    Limits,
    converged,
    faults,
    flight_objections,
    objections,
)
from crazyflie_bridge.telemetry import Flag, Vitals

LIMITS = Limits(0.1, 0.5, 3.6, 3.1, 0.5)
SURE = ((1e-4, 1e-4, 1e-4),) * 10
WELL = Vitals(0, Flag.CAN_FLY | Flag.ARMED | Flag.AUTO_ARM, 0.9, 4.0, SURE)


def test_a_sound_robot_may_fly() -> None:
    assert objections(WELL, 1.0, LIMITS) == []
    assert objections(replace(WELL, flags=Flag.CAN_ARM), 1.0, LIMITS) == []
    assert flight_objections(WELL, LIMITS) == []


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"flags": Flag(0)}, "neither arming nor flight"),
        ({"flags": Flag.LOCKED}, "power-cycled"),
        ({"flags": Flag.TUMBLED | Flag.ARMED}, "upright"),
        ({"flags": Flag.CRASHED}, "crashed"),
        ({"voltage_v": 3.5}, "battery low: 3.50 V"),
        ({"variances": SURE[:5]}, "not converged"),
        ({"variances": ((1.0, 1.0, 1.0),) * 10}, "deviation 1.00 m"),
    ],
)
def test_each_defect_is_named(change: dict, word: str) -> None:
    (reason,) = objections(replace(WELL, **change), 1.0, LIMITS)
    assert word in reason


def test_a_poor_link_is_named() -> None:
    (reason,) = objections(WELL, 0.3, LIMITS)
    assert "30%" in reason


def test_variance_on_its_way_down_is_not_convergence() -> None:
    falling = tuple((v, 1e-4, 1e-4) for v in [0.009 - 0.0008 * i for i in range(10)])
    assert max(max(v) for v in falling) <= 0.1**2
    assert not converged(falling, 0.1)
    # A filter without measurements rests at its ceiling, which is steady but not small.
    assert not converged(((100.0,) * 3,) * 10, 0.1)


def test_flight_goes_on_with_less_than_take_off_needs() -> None:
    tired = replace(WELL, voltage_v=3.3, variances=((0.04, 0.04, 0.04),))
    assert objections(tired, 1.0, LIMITS)
    assert flight_objections(tired, LIMITS) == []
    worse = replace(tired, voltage_v=3.0, variances=((0.04, 0.36, 0.04),))
    assert [r.split(":")[0] for r in flight_objections(worse, LIMITS)] == [
        "position lost",
        "battery empty",
    ]


def test_faults_need_a_person() -> None:
    assert faults(WELL) == []
    assert len(faults(replace(WELL, flags=Flag.LOCKED | Flag.CRASHED | Flag.TUMBLED))) == 3
