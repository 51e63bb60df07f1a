"""The robots that come with the project, and how others are found.

A robot of one's own is a function without arguments that returns a `Robot`, registered by its
package under the entry point group ``planner.robots``; the built-in ones register the same way.
"""

from __future__ import annotations

import numpy as np
from planner_core.plugins import load_plugin
from planner_core.robot import Robot, StopBehaviour


def crazyflie() -> Robot:
    """The Crazyflie 2.x: position and yaw in the world frame.

    The limits are the firmware's: 1 m/s of ``posCtlPid`` and the 20 degrees of tilt that give
    g * tan(20 deg) = 3.6 m/s^2; 1.5 m/s and 3.5 m/s^2 leave the feedback its share. A jerk of
    30 m/s^3 is a tilt rate of 30 / g = 3 rad/s, well within what the attitude loop follows.
    """
    return Robot(
        name="crazyflie",
        frame_id="map",
        names=("x", "y", "z", "yaw"),
        units=("m", "m", "m", "rad"),
        lower=np.array([-6.0, -6.0, 0.0, -1e3]),
        upper=np.array([6.0, 6.0, 3.0, 1e3]),
        velocity=np.array([1.5, 1.5, 1.0, 3.0]),
        acceleration=np.array([3.5, 3.5, 3.5, 10.0]),
        jerk=np.array([30.0, 30.0, 30.0, 100.0]),
        stop=StopBehaviour.LAND,
    )


def so100() -> Robot:
    """The SO-100 arm: five joints and the gripper, as lerobot orders them.

    At the limit of jerk the acceleration goes from none to its own limit in 15 ms, which is what a
    servo with a 3 ms bus cycle can tell from a step.
    """
    return Robot(
        name="so100",
        frame_id="base_link",
        names=(
            "shoulder_pan",
            "shoulder_lift",
            "elbow_flex",
            "wrist_flex",
            "wrist_roll",
            "gripper",
        ),
        units=("rad",) * 6,
        lower=np.array([-2.2, -3.14, 0.0, -2.0, -3.14, -0.2]),
        upper=np.array([2.2, 0.2, 3.14, 1.8, 3.14, 2.0]),
        velocity=np.full(6, 4.0),
        acceleration=np.full(6, 30.0),
        jerk=np.full(6, 2000.0),
        stop=StopBehaviour.HOLD,
    )


def go2() -> Robot:
    """The Unitree Go2: twelve joints in the order of its motors (FR, FL, RR, RL).

    The limit of jerk lets a policy at 50 Hz go from one limit of acceleration to the other between
    two samples, as a leg does at touch-down; what is faster is noise.
    """
    legs = ("FR", "FL", "RR", "RL")
    return Robot(
        name="go2",
        frame_id="base_link",
        names=tuple(f"{leg}_{joint}" for leg in legs for joint in ("hip", "thigh", "calf")),
        units=("rad",) * 12,
        lower=np.array([-1.047, -1.571, -2.723] * 2 + [-1.047, -0.524, -2.723] * 2),
        upper=np.array([1.047, 3.491, -0.838] * 2 + [1.047, 4.538, -0.838] * 2),
        velocity=np.full(12, 30.0),
        acceleration=np.full(12, 1500.0),
        jerk=np.full(12, 150e3),
        stop=StopBehaviour.DAMP,
    )


def load_robot(name: str) -> Robot:
    """Find a robot by name.

    Raises:
        UnknownPluginError: No installed package provides it; the message lists those that exist.
    """
    robot = load_plugin("planner.robots", name)()
    assert isinstance(robot, Robot)
    return robot
