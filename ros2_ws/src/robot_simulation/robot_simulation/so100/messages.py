"""The simulation's state as messages."""

from __future__ import annotations

from collections.abc import Mapping

import yaml
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticStatus, KeyValue
from geometry_msgs.msg import PoseStamped
from planner_core.robots import so100
from robot_simulation.so100.arm import Arm, CubePose, Placement
from robot_simulation.so100.model import CUBE_M, JOINTS
from sensor_msgs.msg import JointState

FRAME = so100().frame_id


def pose_message(pose: CubePose, stamp: Time) -> PoseStamped:
    """A cube's pose in the arm's frame."""
    message = PoseStamped()
    message.header.frame_id, message.header.stamp = FRAME, stamp
    position, attitude = message.pose.position, message.pose.orientation
    position.x, position.y, position.z = map(float, pose.position)
    attitude.x, attitude.y, attitude.z, attitude.w = map(float, pose.quaternion)
    return message


def joint_state_message(arm: Arm, stamp: Time) -> JointState:
    """The true joints."""
    message = JointState(name=list(JOINTS))
    message.header.frame_id, message.header.stamp = FRAME, stamp
    message.position, message.velocity = arm.positions.tolist(), arm.velocities.tolist()
    return message


def status_message(name: str, values: Mapping[str, object]) -> DiagnosticStatus:
    """How the simulation is."""
    return DiagnosticStatus(
        level=DiagnosticStatus.OK, name=name, message="runs", hardware_id="so100",
        values=[KeyValue(key=key, value=str(value)) for key, value in values.items()],
    )  # fmt: skip


def world_text(seed: int, placements: tuple[Placement, ...], place: tuple[float, float]) -> str:
    """Where the cubes are, and what may be asked of the arm, as YAML."""
    cubes = [
        {"x_m": round(p.x_m, 6), "y_m": round(p.y_m, 6), "yaw_rad": round(p.yaw_rad, 6)}
        for p in placements
    ]
    world = {"name": f"cubes-{seed}", "frame": FRAME, "cube_m": CUBE_M, "cubes": cubes}
    goals: dict[str, dict[str, float]] = {}
    if cubes:
        goals["pick_place"] = dict(zip(("object_x", "object_y"), map(float, place), strict=True))
    if len(cubes) > 1:
        goals["stack"] = {}
    world["goals"] = goals
    return yaml.safe_dump(world, sort_keys=False)
