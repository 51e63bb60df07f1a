"""Log packets as samples."""

from __future__ import annotations

import math

import pytest
from crazyflie_bridge.conversions import external_pose, in_body
from crazyflie_bridge.telemetry import (
    BLOCKS,
    IMU,
    STATE,
    VITALS,
    Flag,
    LogBlock,
    Telemetry,
    unpacked_quaternion,
)
from geometry_msgs.msg import PoseStamped
from hypothesis import given
from hypothesis import strategies as st
from planner_core.clock import ManualClock, nanoseconds
from planner_core.errors import (
    EstimationError,
    FrameError,
    FutureMeasurementError,
    LateMeasurementError,
    NonFiniteError,
)
from planner_ros.clock import time_msg

IDENTITY = 3 << 30


def packet(block: LogBlock, *numbers: float) -> dict[str, float]:
    return {name: n for (name, _), n in zip(block.variables, numbers, strict=True)}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(steady_ns=10**9)


@pytest.fixture
def telemetry(clock: ManualClock) -> Telemetry:
    return Telemetry(clock.steady_ns)


def test_units_become_si(telemetry: Telemetry) -> None:
    telemetry.receive(IMU, 10, packet(IMU, 0.0, 0.5, 1.0, 180.0, 0.0, -90.0))
    telemetry.receive(VITALS, 20, packet(VITALS, 1e-4, 2e-4, 3e-4, 3.9, 80, 0b1010))
    _, (sample,) = telemetry.take()
    assert sample.acceleration == pytest.approx((0.0, 4.905, 9.81))
    assert sample.rates == pytest.approx((math.pi, 0.0, -math.pi / 2))
    assert telemetry.vitals is not None
    assert telemetry.vitals.battery == 0.8
    assert telemetry.vitals.flags == Flag.ARMED | Flag.CAN_FLY


def test_samples_are_handed_over_once(telemetry: Telemetry, clock: ManualClock) -> None:
    for i in range(3):
        telemetry.receive(STATE, 10 * i, packet(STATE, i, 0, 1, 0, 0, 0, IDENTITY))
        clock.advance(0.01)
    states, _ = telemetry.take()
    assert [s.position[0] for s in states] == [0, 1, 2]
    assert states[0].quaternion == (0, 0, 0, 1)
    assert telemetry.take() == ([], [])


def test_a_number_that_is_not_finite_yields_no_sample(telemetry: Telemetry) -> None:
    telemetry.receive(STATE, 10, packet(STATE, math.nan, 0, 1, 0, 0, 0, IDENTITY))
    telemetry.receive(VITALS, 10, packet(VITALS, math.inf, 0, 0, 3.9, 80, 0))
    assert telemetry.take() == ([], [])
    assert telemetry.state is None
    assert telemetry.vitals is None


def test_age_and_quality_of_the_link(telemetry: Telemetry, clock: ManualClock) -> None:
    for i in range(200):
        clock.advance(0.01)
        if i % 4:
            telemetry.receive(STATE, 10 * i, packet(STATE, 0, 0, 1, 0, 0, 0, IDENTITY))
    assert telemetry.quality == pytest.approx(0.75, abs=0.02)
    clock.advance(0.7)
    assert telemetry.age_s == pytest.approx(0.7)
    assert telemetry.quality == pytest.approx(0.23, abs=0.02)
    telemetry.begin()
    assert telemetry.age_s == 0
    assert telemetry.quality == 0


@given(st.integers(0, 2**32 - 1))
def test_any_quaternion_on_the_wire_is_a_rotation(packed: int) -> None:
    assert math.hypot(*unpacked_quaternion(packed)) == pytest.approx(1.0)


unit = st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda q: math.hypot(*q) > 0.1)


@given(unit)
def test_quaternions_survive_the_stock_clients_packing(quaternion: tuple) -> None:
    encoding = pytest.importorskip("cflib.utils.encoding")
    norm = math.hypot(*quaternion)
    expected = [c / norm for c in quaternion]
    actual = unpacked_quaternion(encoding.compress_quaternion(quaternion))
    assert abs(sum(a * b for a, b in zip(actual, expected, strict=True))) > 1 - 1e-5


@pytest.mark.parametrize("block", BLOCKS, ids=lambda b: b.name)
def test_blocks_fit_their_packet(block: LogBlock) -> None:
    assert block.period_ms % 10 == 0


def test_a_block_that_is_too_large_is_refused() -> None:
    with pytest.raises(ValueError, match="28 bytes"):
        LogBlock("all", 10, tuple((f"a.{i}", "float") for i in range(7)))


def test_velocity_in_body_axes() -> None:
    left = (0.0, 0.0, math.sin(math.pi / 4), math.cos(math.pi / 4))
    assert in_body(left, (1.0, 0.0, 0.5)) == pytest.approx((0.0, -1.0, 0.5))
    nose_down = (0.0, math.sin(math.pi / 4), 0.0, math.cos(math.pi / 4))
    assert in_body(nose_down, (0.0, 0.0, -1.0)) == pytest.approx((1.0, 0.0, 0.0), abs=1e-12)


NOW_NS = 10**12


def pose(frame_id: str = "map", w: float = 1.0, x: float = 0.0, age_s: float = 0.01) -> PoseStamped:
    message = PoseStamped()
    message.header.frame_id = frame_id
    message.header.stamp = time_msg(NOW_NS - nanoseconds(age_s))
    message.pose.position.x, message.pose.orientation.w = x, w
    return message


def test_external_poses_are_checked() -> None:
    assert external_pose(pose(x=2.0), "map", NOW_NS) == ((2.0, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0))
    with pytest.raises(FrameError):
        external_pose(pose("odom"), "map", NOW_NS)
    for bad in (pose(w=0.0), pose(w=math.nan), pose(x=math.inf)):
        with pytest.raises(NonFiniteError):
            external_pose(bad, "map", NOW_NS)


@pytest.mark.parametrize(
    ("age_s", "error"),
    [
        (0.3, LateMeasurementError), (3600.0, LateMeasurementError),
        (-0.03, FutureMeasurementError),
    ],
)  # fmt: skip
def test_external_poses_of_another_time_are_refused(
    age_s: float, error: type[EstimationError]
) -> None:
    """The robot's estimator would take them for where it is now."""
    with pytest.raises(error):
        external_pose(pose(age_s=age_s), "map", NOW_NS)
