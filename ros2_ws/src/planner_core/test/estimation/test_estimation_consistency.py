"""Whether the filter knows how wrong it is: errors against their covariance, over seeds."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from flight import Flight, Sensors, at
from planner_core.estimation import EstimatorStatus, ImuSample, StateEstimate
from planner_core.estimation_replay import ReplayingEstimator
from planner_core.estimation_rotations import conjugate, logarithm, product
from planner_core.estimation_settings import EstimatorSettings
from planner_core.plan import Array

SEEDS = range(8)


def estimates(
    sensors: Sensors,
    duration_s: float,
    settings: EstimatorSettings | None = None,
    period_s: float = 0.02,
) -> Iterator[tuple[float, StateEstimate, float]]:
    """Time, estimate at that time from what had arrived, and normalised innovation."""
    estimator = ReplayingEstimator(settings or EstimatorSettings())
    asked = 0
    for t, event in sensors.events(duration_s):
        while asked * period_s < t:
            found = estimator.estimate(at(asked * period_s))
            if found is not None:
                yield asked * period_s, found, estimator.counters.distance
            asked += 1
        if isinstance(event, ImuSample):
            estimator.add_imu(event, at(t))
        else:
            estimator.add_measurement(event, at(t))


def errors(estimate: StateEstimate, flight: Flight, t: float) -> Array:
    """(9,) of position, velocity and rotation."""
    turn = product(conjugate(estimate.orientation), flight.orientation(t))
    return np.concatenate(
        [
            flight.position(t) - estimate.position,
            flight.velocity(t) - estimate.velocity,
            logarithm(turn),
        ]
    )


def squared_distance(error: Array, covariance: Array) -> float:
    return float(error @ np.linalg.solve(covariance, error))


@pytest.mark.parametrize("delay_s", [0.0, 0.04])
def test_errors_are_as_large_as_the_covariance_says(delay_s: float) -> None:
    """NEES of 9 errors averages 9, NIS over its dimension 1, at the filter's own noise.

    The mean over 8 seeds x 3 s has the spread of a few dozen independent samples, since an error
    lasts for about 0.2 s: 9 +- 1.5 holds with a wide margin, and an error of 30 % in any density or
    a coupling of the wrong sign breaks it.
    """
    flight, nees, nis = Flight(), [], []
    for seed in SEEDS:
        rng = np.random.default_rng(1000 + seed)
        bias = rng.normal(size=3) * EstimatorSettings().accelerometer_bias_deviation_m_s2
        drift = rng.normal(size=3) * EstimatorSettings().gyroscope_bias_deviation_rad_s
        sensors = Sensors(
            flight,
            seed=seed,
            pose_delay_s=delay_s,
            acceleration_bias=tuple(bias),
            rate_bias=tuple(drift),
        )
        for t, estimate, distance in estimates(sensors, 4.0):
            if t > 1.0:
                nees.append(squared_distance(errors(estimate, flight, t), estimate.covariance))
                nis.append(distance)
    assert np.mean(nees) == pytest.approx(9.0, abs=1.5)
    assert np.mean(nis) == pytest.approx(1.0, abs=0.1)


def test_drop_outs_stay_consistent() -> None:
    """While predicted from the IMU alone for half a second, errors grow as the covariance does."""
    flight, nees = Flight(), []
    for seed in range(24):
        sensors = Sensors(flight, seed=seed, pose_gaps=((2.0, 3.0),))
        for t, estimate, _ in estimates(sensors, 2.52, period_s=0.1):
            if t > 2.35:
                nees.append(squared_distance(errors(estimate, flight, t), estimate.covariance))
    assert np.mean(nees) == pytest.approx(9.0, abs=3.0)


def test_poses_alone_are_enough() -> None:
    """Without an IMU: velocity and turn rate from poses, and VALID, since none was ever there."""
    flight = Flight(scale=0.7)
    found = [
        (errors(estimate, flight, t), estimate, t)
        for t, estimate, _ in estimates(Sensors(flight, imu_hz=0, pose_hz=100), 4.0)
        if t > 1.0
    ]
    rms = np.sqrt(np.mean([error**2 for error, _, _ in found], axis=0))
    assert rms[:3].max() < 0.005
    assert rms[3:6].max() < 0.08
    assert all(estimate.status is EstimatorStatus.VALID for _, estimate, _ in found)
    rates = np.array([estimate.rate - flight.rate(t) for _, estimate, t in found])
    deviations = np.array([estimate.rate_deviation for _, estimate, _ in found])
    assert np.sqrt(np.mean(rates**2)) < 0.25
    assert 0.4 < np.sqrt(np.mean((rates / deviations) ** 2)) < 1.3


def test_biases_converge() -> None:
    """Turn rate and acceleration are right on average, though the sensor's are not."""
    flight = Flight()
    sensors = Sensors(flight, acceleration_bias=(0.15, -0.1, 0.08), rate_bias=(0.02, -0.015, 0.01))
    late = [(t, e) for t, e, _ in estimates(sensors, 16.0) if t > 8.0]
    rate = np.mean([e.rate - flight.rate(t) for t, e in late], axis=0)
    acceleration = np.mean([e.acceleration - flight.acceleration(t) for t, e in late], axis=0)
    assert np.abs(rate).max() < 0.005
    # Over a full turn in yaw, a bias that is left over averages out in the world: but not on z.
    assert abs(acceleration[2]) < 0.03
    assert np.abs(acceleration).max() < 0.05


def test_prediction_30_ms_ahead() -> None:
    """From what was measured by now to where the robot will be when a plan is ready."""
    flight, ahead_s = Flight(), 0.03
    estimator, errors_m = ReplayingEstimator(EstimatorSettings()), []
    for t, event in Sensors(flight, pose_delay_s=0.01).events(5.0):
        if isinstance(event, ImuSample):
            estimator.add_imu(event, at(t))
            ahead = estimator.estimate(at(t + ahead_s))
            if ahead is not None and t > 1.0:
                errors_m.append(np.linalg.norm(ahead.position - flight.position(t + ahead_s)))
        else:
            estimator.add_measurement(event, at(t))
    assert np.sqrt(np.mean(np.square(errors_m))) < 0.008
    assert max(errors_m) < 0.02


@pytest.mark.parametrize("gap_s", [2.0, 3.3])
def test_readings_are_integrated_as_lines_between_them(gap_s: float) -> None:
    """Taking each reading for the 10 ms before it, the path would be off by 7 mm and more."""
    flight = Flight()
    exact = Sensors(
        flight,
        accelerometer_density=0.0,
        gyroscope_density=0.0,
        position_deviation=1e-4,
        orientation_deviation=1e-4,
        pose_gaps=((gap_s, gap_s + 1.0),),
    )
    found = {round(t, 2): estimate for t, estimate, _ in estimates(exact, gap_s + 0.6)}
    end = round(gap_s + 0.5, 2)
    assert np.linalg.norm(errors(found[end], flight, end)[:3]) < 0.005
