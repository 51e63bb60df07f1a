"""The 3-D scene in the browser: what is drawn, and how it looks.

The only module that knows viser. It serves its page from the installed package and asks nothing of
the internet.
"""

from __future__ import annotations

import contextlib
import io
import ipaddress
import socket
from collections.abc import Sequence

import numpy as np
import viser
from numpy.typing import NDArray
from planner_core.errors import ConfigurationError

from robot_view.bodies import body_of, rotated
from robot_view.drawn_robot import Colour, DrawnRobot, JointedRobot, RigidRobot, add_shape
from robot_view.flight import Candidates
from robot_view.shapes import Array, Shape

Points = NDArray[np.float64] | NDArray[np.float32]

FEASIBLE: Colour = (25, 95, 235)
INFEASIBLE: Colour = (225, 25, 35)
CHOSEN: Colour = (18, 160, 72)
FLOWN: Colour = (40, 50, 66)
GOAL: Colour = (18, 160, 72)
FOLLOW_M = 0.5
"""A walking robot is followed in steps, so that the view does not fight with who turns it."""
NO_SEGMENTS = np.zeros((1, 2, 3), dtype=np.float32)


class LocalServer(viser.ViserServer):
    """A server that cannot be opened to the internet.

    Any page in the same browser may ask a server on loopback for a public address; viser would
    open one through a third party.
    """

    def request_share_url(self, verbose: bool = True) -> str | None:
        """Refuse."""
        return None


class Scene:
    """A page with the scene and a panel beside it.

    Methods may be called from any thread; they only queue messages, the server's own thread sends.

    Args:
        host: Address to listen on.
        port: Port to listen on, 0 for any that is free.
        title: Shown above the panel.
        robot: Drawn as a quadrotor if ``crazyflie``, to scale where its body is known, else as a
            sphere.
        span_m: Width of a quadrotor or sphere.

    Raises:
        ConfigurationError: The address is not free, or not this machine's.
    """

    def __init__(self, host: str, port: int, title: str, robot: str, span_m: float) -> None:
        require_free(host, port)
        # viser prints a frame with its addresses; the node says that in its log.
        with contextlib.redirect_stdout(io.StringIO()):
            self._server = LocalServer(host=host, port=port, label=title, verbose=False)
        if port and self._server.get_port() != port:
            # Somebody took the port in between; viser would silently serve on the next one.
            self._server.stop()
            raise _taken(host, port, "taken by another program")
        self._server.gui.configure_theme(
            control_layout="collapsible", show_logo=False, show_share_button=False
        )
        scene = self._server.scene
        scene.configure_environment_map(None)
        # Shadows double the work of a browser without a graphics card, beside which robots fly.
        scene.configure_default_lights(cast_shadow=False)
        scene.add_light_hemisphere(
            "/light/sky", sky_color=(255, 255, 255), ground_color=(150, 150, 155), intensity=2.2
        )
        body = body_of(robot)
        self._look_at(np.zeros(3), 6.0 if body is None else body.view_m)
        self._world: list[viser.SceneNodeHandle] = []
        self._objects: list[viser.SceneNodeHandle] = []
        self._drawn_objects: tuple[Shape, ...] = ()
        self._robot = scene.add_frame("/robot", show_axes=False, visible=False)
        self._drawn: DrawnRobot = (
            RigidRobot(scene, robot, span_m) if body is None else JointedRobot(scene, body)
        )
        # Lines are as thick as the surroundings are large.
        scale = 1.0 if body is None else body.view_m / 6.0
        self._follows = body is not None and not body.fixed
        self._followed: Array = np.zeros(3)
        if self._follows:
            scene.add_grid(
                "/floor", infinite_grid=True, cell_size=0.25, section_size=1.0,
                plane_color=(244, 245, 247), plane_opacity=1.0, fade_distance=14.0,
            )  # fmt: skip
        elif body is not None and body.ground is not None:
            add_shape(scene, "/ground", body.ground)
        self._goal = scene.add_icosphere("/goal", 0.12 * scale, GOAL, opacity=0.6, visible=False)
        self._candidates = scene.add_line_segments(
            "/candidates", NO_SEGMENTS, np.zeros((1, 2, 3), np.uint8), thickness=2.0,
            thickness_units="screen", visible=False,
        )  # fmt: skip
        self._plan = scene.add_line_segments(
            "/plan", NO_SEGMENTS, CHOSEN, thickness=0.035 * scale, visible=False
        )
        self._path = scene.add_line_segments(
            "/path", NO_SEGMENTS, FLOWN, thickness=0.02 * scale, visible=False
        )
        self._panel = self._server.gui.add_html("")

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        host = self._server.get_host()
        return f"http://{f'[{host}]' if ':' in host else host}:{self._server.get_port()}"

    @property
    def watched(self) -> bool:
        """Whether any browser is connected."""
        return bool(self._server.get_clients())

    def close(self) -> None:
        """Disconnect all browsers and stop serving."""
        with contextlib.redirect_stdout(io.StringIO()):
            self._server.stop()

    def draw_world(self, shapes: Sequence[Shape]) -> None:
        """Replace the solids of the world; new browsers look at its middle."""
        with self._server.atomic():
            for handle in self._world:
                handle.remove()
            self._world = [
                add_shape(self._server.scene, f"/world/{i}", shape)
                for i, shape in enumerate(shapes)
            ]
        for shape in shapes:
            if shape.is_floor:
                self._look_at(np.array(shape.centre), max(shape.size[:2]))

    def draw_robot(self, position: Array, wxyz: Array) -> None:
        """Move the robot.

        Args:
            position: (3,) [m].
            wxyz: (4,) unit quaternion.
        """
        with self._server.atomic():
            self._robot.position, self._robot.wxyz = position, wxyz
            self._robot.visible = True
        if self._follows and np.linalg.norm(position - self._followed) > FOLLOW_M:
            self._move_cameras(position - self._followed)
            self._followed = position

    def draw_joints(self, q: Array) -> None:
        """Put the joints of a jointed robot to (n,) [rad]."""
        with self._server.atomic():
            self._drawn.bend(q)
            self._robot.visible = True

    def draw_objects(self, shapes: tuple[Shape, ...]) -> None:
        """Put objects where they are now."""
        with self._server.atomic():
            if [s.size for s in shapes] != [s.size for s in self._drawn_objects]:
                for handle in self._objects:
                    handle.remove()
                self._objects = [
                    add_shape(self._server.scene, f"/objects/{i}", shape)
                    for i, shape in enumerate(shapes)
                ]
            for handle, shape in zip(self._objects, shapes, strict=True):
                handle.position, handle.wxyz = shape.centre, shape.wxyz
        self._drawn_objects = shapes

    def draw_goal(self, position: Array | None) -> None:
        """Show the goal (3,) [m], or none."""
        with self._server.atomic():
            if position is not None:
                self._goal.position = position
            self._goal.visible = position is not None

    def draw_plan(self, points: Points) -> None:
        """Show the chosen plan, (H, P, 3) [m] in the frame of the robot's base if it has joints.

        Fewer than two samples hide it.
        """
        self._draw_lines(self._plan, self._placed(points))

    def draw_path(self, points: Points) -> None:
        """Show the executed path, (N, 3) [m]; fewer than two points hide it."""
        self._draw_lines(self._path, points[:, None])

    def draw_candidates(self, candidates: Candidates | None) -> None:
        """Show the candidates of a planning call, coloured by feasibility, or none."""
        with self._server.atomic():
            self._candidates.visible = candidates is not None
            if candidates is None:
                return
            p = self._placed(candidates.position)
            segments = np.stack([p[:, :-1], p[:, 1:]], axis=3)
            colours = np.where(candidates.feasible[:, None], FEASIBLE, INFEASIBLE).astype(np.uint8)
            self._candidates.points = segments.reshape(-1, 2, 3)
            self._candidates.colors = np.broadcast_to(
                colours[:, None, None, None, :], segments.shape
            ).reshape(-1, 2, 3)

    def show_panel(self, html: str) -> None:
        """Replace the text beside the scene."""
        self._panel.content = html

    def _placed(self, points: Points) -> Points:
        """Points that plans move, in the world: a walking robot carries them with it."""
        if not self._follows:
            return points
        return np.asarray(rotated(self._robot.wxyz, points) + self._robot.position)

    def _draw_lines(self, handle: viser.LineSegmentsHandle, points: Points) -> None:
        """One line for each of the (N, P, 3) points' columns."""
        with self._server.atomic():
            handle.visible = len(points) > 1
            if len(points) > 1:
                handle.points = np.stack([points[:-1], points[1:]], axis=2).reshape(-1, 2, 3)

    def _move_cameras(self, way: Array) -> None:
        """Take everybody along; where each looks from stays as it was chosen."""
        camera = self._server.initial_camera
        camera.position = np.asarray(camera.position) + way
        camera.look_at = np.asarray(camera.look_at) + way
        for client in self._server.get_clients().values():
            # The point looked at moves with the position.
            client.camera.position = client.camera.position + way

    def _look_at(self, centre: Array, extent: float) -> None:
        camera = self._server.initial_camera
        camera.look_at = (centre[0], centre[1], centre[2] + extent / 12.0)
        camera.position = (centre[0], centre[1] - 0.68 * extent, centre[2] + 0.58 * extent)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def require_free(host: str, port: int) -> None:
    """Refuse an address that cannot be listened on.

    viser itself would try other ports without a word, and wait for ever for a foreign address.

    Raises:
        ConfigurationError: With the reason.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            # On Linux a listening socket with SO_REUSEADDR is noticed only by listening as well.
            probe.listen(1)
    except OSError as error:
        raise _taken(host, port, error.strerror or str(error)) from error


def _taken(host: str, port: int, reason: str) -> ConfigurationError:
    return ConfigurationError(
        "the live view cannot listen",
        got=f"{host}:{port}: {reason}",
        expected="a free port of this machine",
        remedy="Set the parameter port to another one, or 0 for any.",
    )
