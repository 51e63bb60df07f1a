"""Whether the robot may move: rules over its telemetry, each with its reason in words."""

from __future__ import annotations

import math
from dataclasses import dataclass

from go2_bridge.telemetry import Telemetry
from go2_bridge.wire import LowState


@dataclass(frozen=True, slots=True)
class Limits:
    """What motion needs.

    Attributes:
        link_s: Silence after which the link counts as lost.
        link_quality: Share of samples that arrive intact, at least, to begin.
        charge: Of the battery, at least, to begin, 0..1.
        moving_charge: Below it, motion ends.
        tilt_rad: Of the trunk against the vertical, at most.
    """

    link_s: float
    link_quality: float
    charge: float
    moving_charge: float
    tilt_rad: float


def tilt_rad(state: LowState) -> float:
    """Angle between the trunk's vertical and the world's [rad]."""
    _, x, y, _ = state.quaternion
    return math.acos(min(1.0, max(-1.0, 1.0 - 2.0 * (x * x + y * y))))


def fallen(state: LowState, limits: Limits) -> list[str]:
    """Why the robot needs a person."""
    if (tilt := tilt_rad(state)) > limits.tilt_rad:
        return [f"the robot lies on its side or back: tilted by {tilt:.2f} rad; turn it upright"]
    return []


def objections(telemetry: Telemetry, limits: Limits) -> list[str]:
    """Why the robot must not begin to move."""
    state = telemetry.state
    if state is None:
        return ["nothing heard from the robot"]
    reasons = fallen(state, limits)
    if state.charge < limits.charge:
        reasons.append(f"battery low: {state.charge:.0%}, at least {limits.charge:.0%} needed")
    if telemetry.quality < limits.link_quality:
        reasons.append(
            f"poor link: {telemetry.quality:.0%} of the samples arrive, "
            f"{limits.link_quality:.0%} needed"
        )
    return reasons


def moving_objections(state: LowState, limits: Limits) -> list[str]:
    """Why a moving robot must end its motion."""
    reasons = fallen(state, limits)
    if state.charge < limits.moving_charge:
        reasons.append(f"battery empty: {state.charge:.0%}")
    return reasons
