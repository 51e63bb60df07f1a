"""Statistics of the simulated sensors."""

from __future__ import annotations

import math

import numpy as np
import pytest
from crazyflie_pilot import cylinder, room
from robot_simulation.crazyflie.dynamics import BodyState
from robot_simulation.crazyflie.imu import Imu, ImuNoise
from robot_simulation.crazyflie.rotation import from_euler
from robot_simulation.crazyflie.sensors import (
    MotionCapture,
    MotionCaptureSettings,
    RangeScanner,
    RangeScannerSettings,
)
from robot_simulation.periodic import Periodic

STEP_S = 0.002
BODY = BodyState(position=(0.0, 0.0, 1.0), rates=(0.1, -0.2, 0.3))


def test_imu_noise_and_bias() -> None:
    noise = ImuNoise(gyro_bias_rad_s=0.0, accelerometer_bias_m_s2=0.5)
    imu = Imu(noise, np.random.default_rng(1))
    samples = [imu.sample(BODY) for _ in range(10_000)]
    rates = np.array([s.rates for s in samples])
    forces = np.array([s.specific_force for s in samples])
    assert rates.mean(axis=0) == pytest.approx(BODY.rates, abs=3e-4)
    assert rates.std(axis=0) == pytest.approx([noise.gyro_rad_s] * 3, rel=0.05)
    assert forces.std(axis=0) == pytest.approx([noise.accelerometer_m_s2] * 3, rel=0.05)
    assert np.linalg.norm(forces.mean(axis=0) - BODY.specific_force) > 0.05, "the bias"


def captured(settings: MotionCaptureSettings, duration_s: float, *, lost: bool = False):
    capture = MotionCapture(settings, np.random.default_rng(2))
    capture.lost = lost
    times = np.arange(round(duration_s / STEP_S)) * STEP_S
    poses = [(t, capture.measure(BODY, t)) for t in times.tolist()]
    return [(t, pose) for t, pose in poses if pose is not None]


def test_motion_capture_rate_latency_and_noise() -> None:
    settings = MotionCaptureSettings(latency_s=0.02)
    poses = captured(settings, 20.0)
    assert len(poses) == pytest.approx(2000, abs=5)
    delays = [t - pose.exposure_s for t, pose in poses]
    assert delays == pytest.approx([0.02] * len(delays), abs=STEP_S)
    positions = np.array([pose.position for _, pose in poses])
    assert positions.mean(axis=0) == pytest.approx(BODY.position, abs=2e-4)
    assert positions.std(axis=0) == pytest.approx([settings.position_noise_m] * 3, rel=0.1)
    yaw = np.array([2 * pose.attitude[3] for _, pose in poses])
    assert yaw.std() == pytest.approx(settings.attitude_noise_rad, rel=0.1)


def test_motion_capture_drops_out() -> None:
    poses = captured(MotionCaptureSettings(drop_out=0.3), 20.0)
    assert len(poses) == pytest.approx(1400, abs=80)
    assert captured(MotionCaptureSettings(), 1.0, lost=True) == []


@pytest.mark.parametrize(("rate_hz", "step_s"), [(100.0, 0.004), (30.0, 0.002), (20.0, 0.004)])
def test_periodic_keeps_its_rate_on_average(rate_hz: float, step_s: float) -> None:
    periodic = Periodic(rate_hz)
    assert sum(periodic.due(step * step_s) for step in range(round(10 / step_s))) == pytest.approx(
        10 * rate_hz, abs=1
    )


def test_periodic_does_not_make_up_for_a_gap_and_follows_a_jump_back() -> None:
    periodic = Periodic(10.0)
    assert periodic.due(0.0)
    assert not periodic.due(0.05)
    assert [periodic.due(5.0), periodic.due(5.01)] == [True, False]
    assert [periodic.due(0.0), periodic.due(0.01)] == [True, False]


def test_scan_sees_what_stands_there() -> None:
    settings = RangeScannerSettings(rays=4, noise_m=0.0, drop_out=0.0, max_range_m=3.5)
    scanner = RangeScanner(settings, np.random.default_rng(3))
    world = room(cylinders=[cylinder(0.0, 1.0)])
    # Forward is the world's +y: the cylinder; then left -x, back -y, right +x.
    body = BodyState(position=(0.0, 0.0, 1.0), attitude=from_euler(0.2, 0.1, math.pi / 2))
    assert scanner.scan(world, body) == pytest.approx([0.8, math.inf, 3.0, math.inf])


def test_scan_noise_and_drop_outs() -> None:
    settings = RangeScannerSettings(noise_m=0.02, drop_out=0.1)
    scanner = RangeScanner(settings, np.random.default_rng(4))
    world = room()
    truth = world.scan(BODY.position, scanner.angles_rad, settings.max_range_m)
    scans = np.array([scanner.scan(world, BODY) for _ in range(500)])
    missing = np.isinf(scans)
    assert missing.mean() == pytest.approx(0.1, abs=0.01)
    errors = (scans - truth)[~missing]
    assert errors.std() == pytest.approx(0.02, rel=0.05)
    assert abs(errors.mean()) < 1e-3
