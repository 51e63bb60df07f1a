"""Time: delays, order, gaps, jumps; and trust: outliers, drop-outs, recovery."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from flight import Flight, Sensors, at
from hypothesis import given, settings
from hypothesis import strategies as st
from planner_core.errors import (
    EstimationError,
    FutureMeasurementError,
    LateMeasurementError,
    MeasurementOrderError,
)
from planner_core.estimation import EstimatorStatus, ImuSample, Measurement, StateEstimate
from planner_core.estimation_replay import MAX_PENDING, ReplayingEstimator
from planner_core.estimation_settings import EstimatorSettings
from planner_core.plan import Array

CONVERGING, VALID, DEGRADED, DIVERGED = EstimatorStatus


def take(estimator: ReplayingEstimator, event: ImuSample | Measurement, now_ns: int) -> None:
    if isinstance(event, ImuSample):
        estimator.add_imu(event, now_ns)
    else:
        estimator.add_measurement(event, now_ns)


def flown(sensors: Sensors, duration_s: float, **changes: object) -> ReplayingEstimator:
    """An estimator at the end of a flight."""
    estimator = ReplayingEstimator(dataclasses.replace(EstimatorSettings(), **changes))
    for t, event in sensors.events(duration_s):
        take(estimator, event, at(t))
    return estimator


def history(sensors: Sensors, duration_s: float) -> dict[float, StateEstimate]:
    """Estimates every 10 ms, as they were at those times."""
    estimator, found, tick = ReplayingEstimator(EstimatorSettings()), {}, 0
    for t, event in sensors.events(duration_s):
        while tick < t * 100:
            estimate = estimator.estimate(at(tick / 100))
            if estimate is not None:
                found[tick / 100] = estimate
            tick += 1
        take(estimator, event, at(t))
    return found


def state_at(estimator: ReplayingEstimator, t: float) -> StateEstimate:
    estimate = estimator.estimate(at(t))
    assert estimate is not None
    return estimate


def same(a: StateEstimate, b: StateEstimate) -> bool:
    return all(
        np.array_equal(getattr(a, field.name), getattr(b, field.name))
        for field in dataclasses.fields(StateEstimate)
    )


# Late and out of order.


@pytest.mark.parametrize("delay_s", [0.013, 0.06, 0.2])
def test_late_poses_end_in_the_same_state(delay_s: float) -> None:
    flight = Flight()
    timely = flown(Sensors(flight, seed=3), 2.0)
    # The last poses arrive after the end, when all has been measured.
    late = flown(Sensors(flight, seed=3, pose_delay_s=delay_s), 2.0)
    assert same(state_at(timely, 2.0), state_at(late, 2.0))
    assert timely.counters == late.counters


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_any_order_of_arrival_ends_in_the_same_state(seed: int) -> None:
    rng = np.random.default_rng(seed)
    events = [event for _, event in Sensors(Flight(), seed=seed % 100).events(0.3)]
    readings = [e for e in events if isinstance(e, ImuSample)]
    poses = [e for e in events if isinstance(e, Measurement)]
    timely = ReplayingEstimator(dataclasses.replace(EstimatorSettings(), history_s=0.4))
    for event in events:
        take(timely, event, event.stamp_ns)
    shuffled = ReplayingEstimator(dataclasses.replace(EstimatorSettings(), history_s=0.4))
    arrivals = [(float(i), r) for i, r in enumerate(readings)]
    arrivals += [(float(rng.uniform(0, len(readings))), pose) for pose in poses]
    for i, (_, event) in enumerate(sorted(arrivals, key=lambda arrival: arrival[0])):
        take(shuffled, event, at(0.3))
        if i % 7 == 0:
            shuffled.estimate(at(0.3))  # questions between arrivals change nothing
    assert same(state_at(timely, 0.3), state_at(shuffled, 0.3))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["imu", "pose", "position", "velocity"]),
            st.floats(-2.0, 2.0),  # stamp, from now [s]
            st.floats(-0.1, 0.3),  # the clock goes on, or back [s]
            st.integers(0, 2**32 - 1),
        ),
        max_size=40,
    )
)
def test_whatever_comes_the_state_stays_a_state(
    stream: list[tuple[str, float, float, int]],
) -> None:
    estimator, now = ReplayingEstimator(EstimatorSettings()), 0.0
    for kind, offset, pause, seed in stream:
        now += pause
        rng, stamp_ns = np.random.default_rng(seed), at(now + 0.1 * offset**3)
        try:
            if kind == "imu":
                sample = ImuSample(stamp_ns, rng.uniform(-300, 300, 3), rng.uniform(-60, 60, 3))
                estimator.add_imu(sample, at(now))
            else:
                parts = {
                    "pose": {"position": rng.normal(size=3), "orientation": np.eye(4)[seed % 4]},
                    "position": {"position": rng.uniform(-1e5, 1e5, 3)},
                    "velocity": {"velocity": rng.uniform(-300, 300, 3)},
                }[kind]
                estimator.add_measurement(Measurement(stamp_ns, kind, **parts), at(now))
            estimate = estimator.estimate(at(now))
        except EstimationError:
            continue
        if estimate is not None:
            numbers = [estimate.position, estimate.velocity, estimate.rate, estimate.acceleration]
            assert np.isfinite(np.concatenate(numbers)).all()
            assert np.linalg.norm(estimate.orientation) == pytest.approx(1.0)
            assert np.linalg.eigvalsh(estimate.covariance).min() > -1e-9


def test_a_question_changes_nothing() -> None:
    sensors = Sensors(Flight())
    asked, unasked = flown(sensors, 1.0), flown(sensors, 1.0)
    for i in range(20):
        asked.estimate(at(0.9 + i / 100))
    assert same(state_at(asked, 1.0), state_at(unasked, 1.0))


def test_the_memory_is_bounded_also_unasked() -> None:
    estimator = flown(Sensors(Flight(), imu_hz=500, pose_hz=100), 3.0)
    assert len(estimator._events) <= MAX_PENDING + 600 * EstimatorSettings().history_s + 1


# Refusals.


def refused(error: type[EstimationError], stamp_s: float, now_s: float, code: int) -> None:
    estimator = flown(Sensors(Flight()), 1.0)
    before = state_at(estimator, 1.0)
    pose = Measurement(at(stamp_s), "other", position=np.zeros(3))
    with pytest.raises(error) as refusal:
        estimator.add_measurement(pose, at(now_s))
    assert refusal.value.code == code
    assert same(before, state_at(estimator, 1.0))


def test_from_the_future() -> None:
    refused(FutureMeasurementError, 1.05, 1.0, 432)


def test_too_late() -> None:
    refused(LateMeasurementError, 0.5, 1.0, 433)


def test_reading_backwards() -> None:
    estimator = flown(Sensors(Flight()), 1.0)
    for stamp in (0.98, 0.99):
        with pytest.raises(MeasurementOrderError) as refusal:
            estimator.add_imu(ImuSample(at(stamp), np.zeros(3), np.zeros(3)), at(1.0))
        assert refusal.value.code == 434


def test_a_pose_that_comes_twice() -> None:
    estimator, sensors = flown(Sensors(Flight()), 1.0), Sensors(Flight())
    pose = sensors.pose(0.98, np.zeros(6))
    with pytest.raises(MeasurementOrderError, match="mocap"):
        estimator.add_measurement(pose, at(1.0))
    estimator.add_measurement(dataclasses.replace(pose, source="second camera"), at(1.0))


def test_a_question_about_the_forgotten_past() -> None:
    estimator = flown(Sensors(Flight()), 2.0)
    estimator.estimate(at(2.0))
    for past in (1.7, -100.0):
        with pytest.raises(LateMeasurementError) as refusal:
            estimator.estimate(at(past))
        assert refusal.value.code == 433


# Jumps of the clock.


def test_a_clock_set_back_starts_anew() -> None:
    estimator = flown(Sensors(Flight()), 2.0)
    assert estimator.estimate(at(2.0)) is not None
    for t, event in Sensors(Flight()).events(1.0):
        shifted = dataclasses.replace(event, stamp_ns=event.stamp_ns - 100 * 10**9)
        take(estimator, shifted, at(t - 100))
    again = state_at(estimator, -99.0)
    assert again.status is VALID
    assert estimator.counters.accepted == 50


def test_a_clock_set_forward_is_a_gap_and_not_integrated() -> None:
    estimator = flown(Sensors(Flight()), 2.0)
    hour = 3600.0
    lost = state_at(estimator, 2.0 + hour)
    assert lost.status is DIVERGED
    assert np.linalg.norm(lost.position - Flight().position(2.0)) < 3.0
    for t, event in Sensors(Flight()).events(1.0):
        moved = dataclasses.replace(event, stamp_ns=event.stamp_ns + round((2 + hour) * 1e9))
        take(estimator, moved, at(t + 2 + hour))
    found = state_at(estimator, 3.0 + hour)
    assert found.status is VALID
    assert np.linalg.norm(found.position - Flight().position(1.0)) < 0.02


# Trust.


def test_no_state_before_a_position() -> None:
    estimator = flown(Sensors(Flight(), pose_hz=0), 1.0)
    assert estimator.estimate(at(1.0)) is None


def test_converging_then_valid() -> None:
    found = history(Sensors(Flight()), 1.0)
    states = [estimate.status for estimate in found.values()]
    assert states[0] is CONVERGING
    assert states[-1] is VALID
    assert states == sorted(states)


def test_a_drop_out_degrades_then_diverges_then_recovers() -> None:
    flight = Flight()
    found = history(Sensors(flight, pose_gaps=((2.0, 4.0),)), 5.0)
    deviations = {t: math.sqrt(e.covariance[0, 0]) for t, e in found.items()}
    assert deviations[2.2] < deviations[2.5] < deviations[2.9] < deviations[3.5] < deviations[3.9]
    assert found[1.99].status is VALID
    assert found[2.05].status is VALID
    assert found[2.3].status is DEGRADED
    assert found[2.9].status is DEGRADED
    assert found[3.2].status is DIVERGED
    assert np.array_equal(found[3.5].position, found[3.9].position)
    assert found[4.02].status is CONVERGING
    assert found[4.5].status is VALID
    assert np.linalg.norm(found[4.5].position - flight.position(4.5)) < 0.02


def test_a_short_drop_out_is_bridged_without_a_restart() -> None:
    estimator = flown(Sensors(Flight(), pose_gaps=((2.0, 2.8),)), 4.0)
    assert estimator.counters.initialisations == 1
    estimate = state_at(estimator, 4.0)
    assert estimate.status is VALID


def test_a_lost_imu_degrades_and_comes_back() -> None:
    flight = Flight()
    found = history(Sensors(flight, imu_gaps=((2.0, 3.0),), rate_bias=(0.02, 0.0, -0.02)), 4.0)
    assert found[2.1].status is VALID
    assert found[2.5].status is DEGRADED
    assert np.linalg.norm(found[2.9].position - flight.position(2.9)) < 0.03
    assert np.linalg.norm(found[2.9].velocity - flight.velocity(2.9)) < 0.3
    assert found[3.5].status is VALID
    assert np.abs(found[3.5].rate - flight.rate(3.5)).max() < 0.15


def spoilt(sensors: Sensors, duration_s: float, offset: Array, when: tuple[float, float],
           every: int = 1) -> tuple[ReplayingEstimator, float]:  # fmt: skip
    """A flight whose poses are moved for a while; with the largest error of position after 1 s."""
    estimator, worst, poses = ReplayingEstimator(EstimatorSettings()), 0.0, 0
    for t, event in sensors.events(duration_s):
        if isinstance(event, Measurement) and when[0] <= t < when[1]:
            poses += 1
            if poses % every == 0:
                assert event.position is not None
                event = dataclasses.replace(event, position=event.position + offset)
        take(estimator, event, at(t))
        estimate = estimator.estimate(at(t))
        if t > 1.0 and estimate is not None:
            error = float(np.linalg.norm(estimate.position - sensors.flight.position(t)))
            worst = max(worst, error)
    return estimator, worst


def test_outliers_are_rejected() -> None:
    offset = np.array([0.5, -0.3, 0.2])
    estimator, worst = spoilt(Sensors(Flight()), 3.0, offset, (1.0, 3.0), every=3)
    assert estimator.counters.rejected == 33
    assert worst < 0.02


def test_a_robot_that_was_moved_is_believed_after_a_while() -> None:
    offset = np.array([1.0, 0.0, 0.0])
    estimator, _ = spoilt(Sensors(Flight()), 3.0, offset, (2.0, 3.0))
    assert estimator.counters.initialisations == 2
    assert estimator.counters.rejected == EstimatorSettings().max_rejections
    estimate = state_at(estimator, 3.0)
    assert estimate.status is VALID
    assert np.linalg.norm(estimate.position - offset - Flight().position(3.0)) < 0.02


def test_reflections_that_jump_about_are_never_believed() -> None:
    estimator, rng = flown(Sensors(Flight()), 1.0), np.random.default_rng(0)
    for i in range(20):
        t = 1.0 + i / 50
        reflection = Measurement(at(t), "mocap", position=rng.uniform(-3, 3, 3))
        estimator.add_measurement(reflection, at(t))
    estimator.estimate(at(1.4))
    assert estimator.counters.initialisations == 1
    assert estimator.counters.rejected == 20


def test_positions_alone_with_gravity() -> None:
    """Roll and pitch from the accelerometer; yaw from how the robot was set down."""
    flight = Flight(yaw_rate=0.0)
    settings_ = dataclasses.replace(EstimatorSettings(), initial_yaw_rad=flight.yaw(0.0))
    estimator = ReplayingEstimator(settings_)
    for t, event in Sensors(flight, orientation_deviation=None).events(4.0):
        take(estimator, event, at(t))
    estimate = state_at(estimator, 4.0)
    assert estimate.status is VALID
    assert np.linalg.norm(estimate.position - flight.position(4.0)) < 0.03
    assert np.linalg.norm(estimate.velocity - flight.velocity(4.0)) < 0.15
    assert abs(float(estimate.orientation @ flight.orientation(4.0))) > math.cos(0.05)


def test_positions_alone_after_being_lost() -> None:
    """A yaw that nobody measured is not trusted again after the robot was out of sight."""
    flight = Flight(yaw_rate=0.0)
    sensors = Sensors(flight, orientation_deviation=None, pose_gaps=((3.0, 6.0),))
    estimator = flown(sensors, 6.1, initial_yaw_rad=flight.yaw(0.0))
    estimate = state_at(estimator, 6.1)
    assert estimate.status is CONVERGING
    assert estimator.counters.initialisations == 2
    assert estimate.covariance[8, 8] > EstimatorSettings().converged_yaw_rad ** 2
    assert np.linalg.norm(estimate.position - flight.position(6.1)) < 0.05


def test_yaw_passes_half_a_turn() -> None:
    flight = Flight(yaw_rate=1.5)
    for t, estimate in history(Sensors(flight), 5.0).items():
        if t > 0.5:
            assert abs(float(estimate.orientation @ flight.orientation(t))) > math.cos(0.01)
