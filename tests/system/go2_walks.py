"""Let the simulated Go2 walk through the whole graph, again and again, and measure it.

    ROS_DOMAIN_ID=61 python tests/system/go2_walks.py --seeds 1 2 3 --json walks.json

Each walk is a launch of its own, whose output is kept in ``--logs``. Velocities are those of the
simulation's ground truth in the trunk's frame, from two seconds after the robot has begun to move
until the goal ends. A walk whose simulation did not keep real time says nothing: its robot lives
slower than its plans.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from nav_msgs.msg import Odometry
from planner_core.trunk_velocity import gravity_direction, heading
from planner_interfaces.msg import Command
from planner_ros.qos import LATCHED
from rclpy.qos import qos_profile_sensor_data

SETTLES_S = 2.0
FALLEN_GRAVITY = -0.5
LAUNCH = ("ros2", "launch", "planner", "go2_velocity.launch.py", "view:=false")


class Walk:
    """What is heard of one walk.

    Attributes:
        rows: Time [s], velocity ahead and to the left [m/s], turn rate [rad/s], heading [rad],
            gravity's third component, height [m], of each sample while plans are followed.
    """

    def __init__(self) -> None:
        self.rows: list[tuple[float, ...]] = []
        self._following = False
        self._factors: list[float] = []

    def on_status(self, message: DiagnosticStatus) -> None:
        """Note how well the simulation keeps up."""
        values = {value.key: value.value for value in message.values}
        if self._following:
            self._factors.append(float(values["real_time_factor"]))

    def on_command(self, message: Command) -> None:
        """Note whether a plan is followed."""
        self._following = message.mode == Command.TRACK

    def on_truth(self, message: Odometry) -> None:
        """Take a sample."""
        if not self._following:
            return
        q, v, w = message.pose.pose.orientation, message.twist.twist.linear, message.twist.twist
        turned = np.array([q.w, q.x, q.y, q.z])
        stamp = message.header.stamp.sec + message.header.stamp.nanosec * 1e-9
        self.rows.append(
            (
                stamp, v.x, v.y, w.angular.z, heading(turned), gravity_direction(turned)[2],
                message.pose.pose.position.z,
            )
        )  # fmt: skip

    def figures(self, asked: tuple[float, float]) -> dict[str, float]:
        """What counts; nothing of a walk that ended before it began to count."""
        rows = np.array(self.rows)
        rows = rows[rows[:, 0] > rows[0, 0] + SETTLES_S] if len(rows) else rows
        if not len(rows):
            return {"walked_s": 0.0}
        mean = rows[:, 1:3].mean(axis=0)
        turned = np.degrees(np.unwrap(rows[:, 4]))
        return {
            "walked_s": float(rows[-1, 0] - rows[0, 0] + SETTLES_S),
            "fell": float((rows[:, 5] > FALLEN_GRAVITY).any()),
            "velocity_x_m_s": float(mean[0]),
            "velocity_y_m_s": float(mean[1]),
            "mean_velocity_error_m_s": math.dist(mean, asked),
            "heading_mean_deg": float(turned.mean()),
            "heading_end_deg": float(turned[-1]),
            "real_time_factor_mean": float(np.mean(self._factors)) if self._factors else math.nan,
            "real_time_factor_min": min(self._factors, default=math.nan),
        }


def walk(seed: int, options: argparse.Namespace) -> dict[str, object]:
    """One walk: its figures, and those of the mission."""
    heard = Walk()
    node = rclpy.create_node("go2_walks")
    node.create_subscription(Command, "command", heard.on_command, qos_profile_sensor_data)
    node.create_subscription(
        Odometry, "simulation/ground_truth", heard.on_truth, qos_profile_sensor_data
    )
    node.create_subscription(DiagnosticStatus, "simulation/status", heard.on_status, LATCHED)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        goal = f"goal:={options.velocity_x},{options.velocity_y},0.0"
        command = [
            *LAUNCH, goal, f"duration_s:={options.seconds}", f"seed:={seed}",
            f"model:={options.model}", f"report:={report}",
        ]  # fmt: skip
        with (options.logs / f"seed_{seed}.log").open("w") as log:
            launch = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
            while launch.poll() is None:
                rclpy.spin_once(node, timeout_sec=0.1)
        mission = json.loads(report.read_text()) if report.exists() else {}
    node.destroy_node()
    asked = options.velocity_x, options.velocity_y
    return {
        "seed": seed, "outcome": [f["outcome"] for f in mission.get("flights", [])],
        **heard.figures(asked),
        **{key: mission.get(key) for key in ("replan_hz", "planner_ms", "end_to_end_ms")},
    }  # fmt: skip


def main() -> None:
    """Walk, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--velocity-x", type=float, default=0.5)
    parser.add_argument("--velocity-y", type=float, default=0.0)
    parser.add_argument("--model", default="go2_velocity")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--logs", type=Path, default=Path("reports/go2_walks"))
    options = parser.parse_args()
    options.logs.mkdir(parents=True, exist_ok=True)
    rclpy.init()
    walks = []
    for seed in options.seeds:
        walks.append(walk(seed, options))
        print(json.dumps(walks[-1]), flush=True)
        if options.json:
            options.json.write_text(json.dumps(walks, indent=1) + "\n")
    rclpy.shutdown()


if __name__ == "__main__":
    main()
