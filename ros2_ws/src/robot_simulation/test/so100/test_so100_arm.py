"""The physical arm: it falls, holds, reaches, and carries cubes."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest
from numpy.typing import NDArray
from planner_core.arm_kinematics import reach
from planner_core.errors import NoPathError
from planner_core.robots import so100
from robot_simulation.errors import FaultError, SimulationError
from robot_simulation.so100.arm import Arm
from robot_simulation.so100.model import CUBE_M, MAX_CUBES, REST
from robot_simulation.so100.simulation import ArmSimulation, SimulationSettings, placements
from scripted_arm import ScriptedArm

OPEN, SHUT = 0.8, -0.1
HALF_M = CUBE_M / 2
HIGH_M = 0.075


def scripted(seed: int = 0, cubes: int = 2) -> ScriptedArm:
    return ScriptedArm(ArmSimulation(SimulationSettings(cubes=cubes, seed=seed)))


def test_rests_folded_and_still_without_torque() -> None:
    arm = scripted()
    arm.run(3.0)
    simulation = arm.simulation
    assert np.abs(simulation.arm.positions - REST).max() < 0.1
    assert np.abs(simulation.arm.velocities).max() < 1e-2
    for index, place in enumerate(simulation.placements):
        cube = simulation.arm.cube(index).position
        assert cube == pytest.approx([place.x_m, place.y_m, HALF_M], abs=1e-3)


@pytest.mark.parametrize("seed", range(4))
def test_closed_form_reach_is_that_of_the_model(seed: int) -> None:
    rng, arm = np.random.default_rng(seed), Arm(0)
    for _ in range(20):
        x, y = rng.uniform(0.17, 0.25), rng.uniform(-0.1, 0.1)
        z, yaw = rng.uniform(0.012, 0.08), rng.uniform(-0.7, 0.7)
        arm.data.qpos[:5] = reach(x, y, z, yaw_rad=yaw)
        mujoco.mj_kinematics(arm.model, arm.data)
        assert arm.tool == pytest.approx([x, y, z], abs=1e-9)


@pytest.mark.parametrize("point", [(0.6, 0.0, 0.1), (0.05, 0.0, 0.1)])
def test_what_is_out_of_reach_is_refused(point: tuple[float, float, float]) -> None:
    with pytest.raises(NoPathError, match="E402"):
        reach(*point)


def test_holds_its_pose_against_gravity_and_falls_without_torque() -> None:
    arm = scripted()
    arm.torque(True)
    stretched = np.array([0.3, -1.2, 1.0, 0.0, 0.0, 0.2])
    arm.move(stretched, 2.0)
    arm.run(3.0)
    assert arm.simulation.arm.positions == pytest.approx(stretched, abs=0.02)
    height = arm.simulation.arm.tool[2]
    arm.torque(False)
    arm.run(2.0)
    assert arm.simulation.arm.tool[2] < height - 0.1


def grip(arm: ScriptedArm, pose: NDArray[np.float64], gripper: float) -> NDArray[np.float64]:
    return np.append(pose[:5], gripper)


@pytest.mark.parametrize("seed", range(6))
def test_picks_a_cube_and_carries_it(seed: int) -> None:
    arm = scripted(seed, cubes=1)
    arm.torque(True)
    place = arm.simulation.placements[0]

    def over(z: float, gripper: float, open_m: float = 0.0) -> NDArray[np.float64]:
        pose = reach(place.x_m, place.y_m, z, yaw_rad=place.yaw_rad, open_m=open_m)
        return grip(arm, pose, gripper)

    arm.move(over(HIGH_M, OPEN, 0.006), 1.2)
    arm.move(over(HALF_M, OPEN, 0.006), 0.8)
    arm.move(over(HALF_M, SHUT), 0.6)
    arm.move(over(HIGH_M, SHUT), 0.8)
    lifted = arm.simulation.arm.cube(0).position
    assert lifted[2] > 0.065
    # Carried to the other side, without slipping for five seconds.
    arm.move(grip(arm, reach(0.2, 0.1, HIGH_M), SHUT), 1.5)
    held = arm.simulation.arm.cube(0).position - arm.simulation.arm.tool
    arm.run(5.0)
    assert arm.simulation.arm.cube(0).position - arm.simulation.arm.tool == pytest.approx(
        held, abs=2e-3
    )
    assert np.linalg.norm(held) < 0.005
    arm.move(grip(arm, reach(0.2, 0.1, HALF_M), SHUT), 0.8)
    arm.move(grip(arm, reach(0.2, 0.1, HALF_M), 0.5), 0.5)
    arm.move(grip(arm, reach(0.2, 0.1, HIGH_M), 0.5), 0.8)
    assert arm.simulation.arm.cube(0).position == pytest.approx([0.2, 0.1, HALF_M], abs=0.01)
    assert all(servo.status == 0 for servo in arm.simulation.bus.servos)


def test_stacks_a_cube_on_another() -> None:
    arm = scripted(3)
    arm.torque(True)
    source, target = arm.simulation.placements

    def at(place, z: float, gripper: float, open_m: float = 0.0) -> NDArray[np.float64]:
        pose = reach(place.x_m, place.y_m, z, yaw_rad=place.yaw_rad, open_m=open_m)
        return grip(arm, pose, gripper)

    arm.move(at(source, HIGH_M, OPEN, 0.006), 1.2)
    arm.move(at(source, HALF_M, OPEN, 0.006), 0.8)
    arm.move(at(source, HALF_M, SHUT), 0.6)
    arm.move(at(source, HIGH_M, SHUT), 0.8)
    arm.move(at(target, HIGH_M, SHUT), 1.2)
    arm.move(at(target, 3 * HALF_M + 0.002, SHUT), 0.8)
    arm.move(at(target, 3 * HALF_M + 0.002, 0.5), 0.5)
    arm.move(at(target, HIGH_M, 0.5), 0.8)
    arm.run(1.0)
    upper, lower = arm.simulation.arm.cube(0).position, arm.simulation.arm.cube(1).position
    assert upper[2] == pytest.approx(3 * HALF_M, abs=1e-3)
    assert np.hypot(*(upper - lower)[:2]) < 0.008


def test_placements_are_named_by_their_seed_and_within_reach() -> None:
    assert placements(3, 2) == placements(3, 2)
    assert placements(3, 2) != placements(4, 2)
    for seed in range(300):
        places = placements(seed, MAX_CUBES)
        for index, place in enumerate(places):
            reach(place.x_m, place.y_m, HALF_M, yaw_rad=place.yaw_rad, open_m=0.006)
            reach(place.x_m, place.y_m, HIGH_M, yaw_rad=place.yaw_rad)
            for other in places[:index]:
                assert np.hypot(place.x_m - other.x_m, place.y_m - other.y_m) > 2 * CUBE_M


def test_placing_cubes_leaves_the_arm_alone() -> None:
    arm = scripted()
    arm.torque(True)
    arm.move(np.array([0.2, -1.5, 1.2, 0.5, 0.0, 0.3]), 1.0)
    before = arm.simulation.arm.positions
    arm.simulation.place_cubes(9)
    assert arm.simulation.arm.positions == pytest.approx(before)
    assert arm.simulation.placements == placements(9, 2)
    arm.run(0.5)
    assert arm.simulation.arm.positions == pytest.approx(before, abs=0.01)


@pytest.mark.parametrize("cubes", [-1, MAX_CUBES + 1])
def test_too_many_cubes_are_refused(cubes: int) -> None:
    with pytest.raises(SimulationError, match="cubes"):
        Arm(cubes)


@pytest.mark.parametrize(("fault", "value"), [("gremlins", 1.0), ("corruption", 2.0)])
def test_unknown_faults_are_refused(fault: str, value: float) -> None:
    with pytest.raises(FaultError, match="E702"):
        scripted().simulation.inject(fault, value)


def test_faults_end_by_themselves() -> None:
    simulation = scripted().simulation
    simulation.inject("slow_servo", 2.0, duration_s=0.5)
    assert simulation.bus.servos[1].slowness > 0.0
    for _ in range(251):
        simulation.step()
    assert simulation.bus.servos[1].slowness == 0.0
    assert str(simulation.faults) == "none"


def test_a_power_failure_drops_the_arm() -> None:
    arm = scripted()
    arm.torque(True)
    arm.move(np.array([0.0, -1.2, 1.0, 0.0, 0.0, 0.2]), 1.5)
    height = arm.simulation.arm.tool[2]
    arm.simulation.inject("restart", 1.0)
    arm.run(1.5)
    assert not any(servo.torque_enabled for servo in arm.simulation.bus.servos)
    assert arm.simulation.arm.tool[2] < height - 0.1


def test_the_model_has_the_robots_limits() -> None:
    robot, model = so100(), Arm(0).model
    assert model.jnt_range[:6, 0] == pytest.approx(robot.lower)
    assert model.jnt_range[:6, 1] == pytest.approx(robot.upper)
    assert mujoco.mj_getTotalmass(model) == pytest.approx(0.119 + 0.162 + 0.148 + 0.066 + 0.113)


def test_the_camera_is_noisy_late_and_misses() -> None:
    arm = scripted(1)
    seen: dict[int, list] = {0: [], 1: []}
    for _ in range(5000):
        arm.simulation.step()
        for sighting in arm.simulation.camera.sightings(arm.simulation.arm):
            delay = arm.simulation.time_s - sighting.exposure_s
            assert 0.04 <= delay < 0.043
            seen[sighting.cube].append(sighting.pose)
    assert 280 <= len(seen[0]) < 300
    for index, poses in seen.items():
        errors = np.array([p.position for p in poses]) - arm.simulation.arm.cube(index).position
        assert errors.std() == pytest.approx(0.001, rel=0.1)
        truth = arm.simulation.arm.cube(index).quaternion
        angles = [2 * np.arccos(min(1.0, abs(p.quaternion @ truth))) for p in poses]
        assert np.sqrt(np.mean(np.square(angles)) / 3) == pytest.approx(0.01, rel=0.1)
    arm.simulation.inject("camera_loss", 1.0)
    for _ in range(50):
        arm.simulation.step()
        arm.simulation.camera.sightings(arm.simulation.arm)
    for _ in range(500):
        arm.simulation.step()
        assert not arm.simulation.camera.sightings(arm.simulation.arm)
