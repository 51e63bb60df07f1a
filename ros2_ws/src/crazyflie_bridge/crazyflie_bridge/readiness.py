"""Whether the robot may fly: rules over its vitals, each with its reason in words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from crazyflie_bridge.telemetry import CONVERGENCE_SAMPLES, Flag, Vector, Vitals

STEADY_VARIANCE_M2: Final = 1e-3
"""Change of a variance within the window above which the estimator still converges."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a flight needs.

    Attributes:
        deviation_m: Standard deviation of the position at most, on the ground.
        flight_deviation_m: In the air: beyond it, the robot lands.
        voltage_v: Battery voltage at least, on the ground.
        flight_voltage_v: Under load: below it, the robot lands.
        link_quality: Share of packets that arrive, at least.
    """

    deviation_m: float
    flight_deviation_m: float
    voltage_v: float
    flight_voltage_v: float
    link_quality: float


def faults(vitals: Vitals) -> list[str]:
    """What only a person can mend."""
    reasons = []
    if Flag.LOCKED in vitals.flags:
        reasons.append("the robot is locked until it is power-cycled")
    if Flag.TUMBLED in vitals.flags:
        reasons.append("the robot lies on its side or back; turn it upright")
    if Flag.CRASHED in vitals.flags:
        reasons.append("the robot has crashed; check it, then call reset_emergency_stop")
    return reasons


def deviation_m(vitals: Vitals) -> float:
    """Largest standard deviation of the present position estimate [m]."""
    return math.sqrt(max(*vitals.variances[-1], 0.0))


def converged(variances: tuple[Vector, ...], deviation: float) -> bool:
    """Whether the estimator has come to rest: a full window of small and steady variances.

    A small value alone does not do: after a reset the variance passes through the limit on its way.
    """
    if len(variances) < CONVERGENCE_SAMPLES:
        return False
    axes = tuple(zip(*variances, strict=True))
    steady = all(max(axis) - min(axis) < STEADY_VARIANCE_M2 for axis in axes)
    return steady and max(max(axis) for axis in axes) <= deviation**2


def objections(vitals: Vitals, link_quality: float, limits: Limits) -> list[str]:
    """Why the robot must not take off."""
    reasons = faults(vitals)
    flags = vitals.flags
    if not reasons and not flags & (Flag.CAN_FLY | Flag.CAN_ARM):
        reasons.append("the supervisor allows neither arming nor flight")
    if not converged(vitals.variances, limits.deviation_m):
        reasons.append(
            f"the estimator has not converged: deviation {deviation_m(vitals):.2f} m, "
            f"steady below {limits.deviation_m:g} m needed"
        )
    if vitals.voltage_v < limits.voltage_v:
        reasons.append(
            f"battery low: {vitals.voltage_v:.2f} V, at least {limits.voltage_v:g} V needed"
        )
    if link_quality < limits.link_quality:
        reasons.append(
            f"poor link: {link_quality:.0%} of the packets arrive, {limits.link_quality:.0%} needed"
        )
    return reasons


def flight_objections(vitals: Vitals, limits: Limits) -> list[str]:
    """Why the robot must not stay in the air."""
    reasons = []
    if (deviation := deviation_m(vitals)) > limits.flight_deviation_m:
        reasons.append(f"position lost: deviation {deviation:.2f} m")
    if vitals.voltage_v < limits.flight_voltage_v:
        reasons.append(f"battery empty: {vitals.voltage_v:.2f} V")
    return reasons
