"""A live 3-D view of a running system in the browser.

It watches and never publishes. Frequent messages are kept as they came, serialised, and looked into
only when something is drawn: a view that nobody looks at costs next to nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from nav_msgs.msg import Odometry
from planner_core.parameters import parameter
from planner_interfaces.msg import (
    BridgeStatus,
    ExecutionStatus,
    Goal,
    Plan,
    PlanCandidates,
    PlannerStatus,
    Quantities,
    RobotState,
)
from planner_ros.clock import RosClock
from planner_ros.parameters import NodeParameters
from planner_ros.process import run
from planner_ros.qos import LATCHED, LATEST, ORDERED
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.serialization import deserialize_message
from visualization_msgs.msg import MarkerArray

from robot_view.bodies import body_of, followed_points
from robot_view.errors import ReportError
from robot_view.flight import goal_place, read_candidates
from robot_view.objects import object_shapes
from robot_view.panel import (
    Section,
    bridge_section,
    execution_section,
    panel_html,
    planner_section,
    silence,
)
from robot_view.scene import Scene, is_loopback
from robot_view.shapes import Array, ShapeSet
from robot_view.trail import Trail

PANEL_RATE_HZ = 4.0
"""People do not read faster."""

NO_POINTS: Array = np.zeros((0, 1, 3))
JOINTED_SPACING_M = 0.005
"""Of the path of a tool."""


@dataclass(frozen=True, slots=True)
class LiveViewParameters:
    """Parameters of the live view."""

    robot: str = parameter(
        "crazyflie", "Which robot is drawn: crazyflie, so100, go2; a sphere for others.",
        read_only=True,
    )  # fmt: skip
    host: str = parameter(
        "127.0.0.1", "Address to listen on; others than loopback let the network watch.",
        read_only=True,
    )  # fmt: skip
    port: int = parameter(
        8080, "Port of the page, 0 for any that is free.", minimum=0, maximum=65535, read_only=True
    )
    rate_hz: float = parameter(
        15.0, "How often the scene is drawn.", minimum=1.0, maximum=30.0, read_only=True
    )
    trail_points: int = parameter(
        2000, "Points of the executed path that stay visible, one every 3 cm.",
        minimum=2, maximum=20000, read_only=True,
    )  # fmt: skip
    robot_span_m: float = parameter(
        0.35, "Width of a drawn quadrotor or sphere; larger than life, to be seen in a room.",
        minimum=0.02, maximum=5.0, read_only=True,
    )  # fmt: skip
    show_candidates: bool = parameter(True, "Whether the candidates are drawn.")


class Latest:
    """The newest message of a topic, serialised until it is asked for.

    Args:
        node: That subscribes.
        kind: Class of the message.
        topic: Relative name.
        qos: Of the subscription.
        clock: For the time of arrival.
    """

    def __init__(
        self, node: Node, kind: type, topic: str, qos: QoSProfile, clock: RosClock
    ) -> None:
        self._kind, self._clock = kind, clock
        self._data: bytes | None = None
        self.arrival_ns: int | None = None
        """Steady time at which the last one came [ns]."""
        node.create_subscription(kind, topic, self._on_message, qos, raw=True)

    def take(self) -> Any | None:
        """The newest message, None if it was taken before."""
        data, self._data = self._data, None
        return None if data is None else deserialize_message(data, self._kind)

    def _on_message(self, data: bytes) -> None:
        self._data, self.arrival_ns = data, self._clock.steady_ns()


class LiveView(Node):
    """Draws what the topics say."""

    def __init__(self) -> None:
        super().__init__("live_view", automatically_declare_parameters_from_overrides=True)
        self._time = RosClock(self)
        self._settings = NodeParameters(self, LiveViewParameters)
        values = self._settings.values
        self._body = body_of(values.robot)
        self._fixed = self._body is not None and self._body.fixed
        spacing_m = {"spacing_m": JOINTED_SPACING_M} if self._fixed else {}
        self._world, self._trail = ShapeSet(), Trail(values.trail_points, **spacing_m)
        self._trail_grew = False
        self.scene = Scene(
            values.host, values.port, f"Driftpilot: {values.robot}", values.robot,
            values.robot_span_m,
        )  # fmt: skip
        self._odometry = self._latest(Odometry, "odometry", LATEST)
        self._state = self._latest(RobotState, "state", LATEST)
        self._objects = self._latest(Quantities, "sensor/objects", LATEST)
        self._plan = self._latest(Plan, "plan", ORDERED)
        self._candidates = self._latest(PlanCandidates, "plan/candidates", ORDERED)
        self._statuses = [
            (self._latest(BridgeStatus, "bridge/status", LATCHED), bridge_section),
            (self._latest(ExecutionStatus, "execution/status", ORDERED), execution_section),
            (self._latest(PlannerStatus, "planner/status", LATCHED), planner_section),
        ]
        self._sections = [Section("Robot"), Section("Execution"), Section("Planner")]
        self.create_subscription(Goal, "goal", self._on_goal, LATCHED)
        self.create_subscription(MarkerArray, "world/markers", self._on_world, LATCHED)
        self.create_timer(1.0 / values.rate_hz, self._draw)
        self.create_timer(1.0 / PANEL_RATE_HZ, self._draw_panel)
        if not is_loopback(values.host):
            self.get_logger().warning(f"whoever reaches {values.host} can watch")
        self.get_logger().info(f"live view at {self.scene.url}")

    def shut_down(self) -> None:
        """Stop serving."""
        self.scene.close()

    def _latest(self, kind: type, topic: str, qos: QoSProfile) -> Latest:
        return Latest(self, kind, topic, qos, self._time)

    def _on_world(self, msg: MarkerArray) -> None:
        self._world.update(msg)
        self.scene.draw_world(self._world.shapes)
        if self._world.skipped:
            self.get_logger().warning(
                f"world/markers: types {sorted(self._world.skipped)} are not drawn", once=True
            )

    def _on_goal(self, msg: Goal) -> None:
        place = goal_place(msg)
        if msg.kind == Goal.REACH:
            self.scene.draw_goal(place if np.isfinite(place).all() else None)
            return
        self.scene.draw_goal(None)
        self.scene.draw_plan(NO_POINTS)
        self.scene.draw_candidates(None)

    def _draw(self) -> None:
        watched = self.scene.watched
        if (odometry := self._odometry.take()) is not None:
            p, q = odometry.pose.pose.position, odometry.pose.pose.orientation
            position = np.array([p.x, p.y, p.z])
            # The trail grows whether or not anybody looks: it is there for who comes later.
            self._trail_grew |= self._trail.add(position)
            if watched:
                self.scene.draw_robot(position, np.array([q.w, q.x, q.y, q.z]))
        if self._body is not None and (state := self._state.take()) is not None:
            self._draw_state(state, watched=watched)
        if not watched:
            return
        if self._trail_grew:
            self._trail_grew = False
            self.scene.draw_path(self._trail.points)
        if (objects := self._objects.take()) is not None:
            self.scene.draw_objects(object_shapes(objects.names, objects.values))
        if (plan := self._plan.take()) is not None:
            self.scene.draw_plan(self._points(plan))
        if (candidates := self._candidates.take()) is not None:
            values = self._settings.values
            try:
                drawn = read_candidates(candidates, values.robot)
            except ReportError as error:
                self.get_logger().warning(str(error), throttle_duration_sec=5.0)
                return
            self.scene.draw_candidates(drawn if values.show_candidates else None)

    def _draw_state(self, msg: RobotState, *, watched: bool) -> None:
        assert self._body is not None
        if len(msg.names) != len(msg.position):
            return
        joints = self._body.joints_of(msg.names, np.asarray(msg.position))
        if joints is None:
            return
        if self._fixed:
            self._trail_grew |= self._trail.add(self._body.tip_points(joints)[0])
        if watched:
            self.scene.draw_joints(joints)

    def _points(self, msg: Plan) -> Array:
        """The followed points of a plan (H, P, 3), none of a plan that says nothing of them."""
        if len(msg.position) != msg.horizon * len(msg.names):
            return NO_POINTS
        position = np.asarray(msg.position).reshape(msg.horizon, len(msg.names))
        points = followed_points(self._body, msg.names, position)
        return NO_POINTS if points is None else points

    def _draw_panel(self) -> None:
        if not self.scene.watched:
            return
        now_ns = self._time.steady_ns()
        for i, (latest, section) in enumerate(self._statuses):
            if (msg := latest.take()) is not None:
                self._sections[i] = section(msg)
        shown = [
            section if latest.arrival_ns is None
            else silence(section, (now_ns - latest.arrival_ns) * 1e-9)
            for section, (latest, _) in zip(self._sections, self._statuses, strict=True)
        ]  # fmt: skip
        self.scene.show_panel(panel_html(shown))


def main() -> int:
    """Entry of the process."""
    return run(LiveView)
