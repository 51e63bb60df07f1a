"""The world on topics: as text for nodes that plan and check, as markers for people."""

from __future__ import annotations

import math

import yaml
from geometry_msgs.msg import Pose
from planner_core.errors import WorldError
from planner_core.plain_data import read_yaml
from planner_core.world import World, world_from_dict
from planner_ros.qos import LATCHED
from rclpy.node import Node
from std_msgs.msg import String
from visualization_msgs.msg import Marker, MarkerArray

DESCRIPTION_TOPIC = "world/description"


class WorldPublisher:
    """Publishes a world, latched: ``world/description`` (YAML) and ``world/markers``.

    Args:
        node: Publishes.
        frame_id: Frame of the world's coordinates.
    """

    def __init__(self, node: Node, frame_id: str) -> None:
        self._frame_id = frame_id
        self._description = node.create_publisher(String, DESCRIPTION_TOPIC, LATCHED)
        self._markers = node.create_publisher(MarkerArray, "world/markers", LATCHED)

    def publish(self, world: World) -> None:
        """Replace the world that was published before."""
        self._description.publish(String(data=world_text(world)))
        self._markers.publish(world_markers(world, self._frame_id))


def world_text(world: World) -> str:
    """A world as YAML."""
    return yaml.safe_dump(world.to_dict(), sort_keys=False)


def world_from_text(text: str) -> World:
    """A world from YAML.

    Raises:
        WorldError: The text is not YAML or does not describe a world.
    """
    try:
        data = read_yaml(text)
    except ValueError as error:
        raise WorldError("world description is not YAML", got=error) from error
    return world_from_dict(data, source="description")


def world_markers(world: World, frame_id: str) -> MarkerArray:
    """Floor, obstacles, start and goal of a world, to be published latched."""
    clear = Marker(action=Marker.DELETEALL)
    clear.header.frame_id = frame_id
    markers = [clear]

    def add(kind: int, centre: tuple[float, ...], size: tuple[float, ...], rgba: tuple[float, ...],
            yaw: float = 0.0) -> None:  # fmt: skip
        marker = Marker(type=kind, ns="world", id=len(markers), action=Marker.ADD)
        marker.header.frame_id = frame_id
        marker.pose = _pose(centre, yaw)
        marker.scale.x, marker.scale.y, marker.scale.z = map(float, size)
        marker.color.r, marker.color.g, marker.color.b, marker.color.a = rgba
        markers.append(marker)

    centre, size = (world.lower + world.upper) / 2, world.upper - world.lower
    floor = (float(centre[0]), float(centre[1]), float(world.lower[2]) - 0.01)
    add(Marker.CUBE, floor, (size[0], size[1], 0.02), (0.85, 0.85, 0.85, 1.0))
    obstacle = (0.45, 0.5, 0.6, 0.9)
    for x, y, radius, bottom, top in world.cylinders.tolist():
        add(Marker.CYLINDER, (x, y, (bottom + top) / 2), (2 * radius, 2 * radius, top - bottom),
            obstacle)  # fmt: skip
    for x, y, z, length, width, height, yaw in world.boxes.tolist():
        add(Marker.CUBE, (x, y, z), (length, width, height), obstacle, yaw)
    add(Marker.SPHERE, tuple(world.start[:3].tolist()), (0.15,) * 3, (0.2, 0.4, 0.9, 1.0))
    add(Marker.SPHERE, tuple(world.goal[:3].tolist()), (0.25,) * 3, (0.1, 0.7, 0.3, 0.8))
    return MarkerArray(markers=markers)


def _pose(centre: tuple[float, ...], yaw: float) -> Pose:
    pose = Pose()
    pose.position.x, pose.position.y, pose.position.z = map(float, centre)
    pose.orientation.z, pose.orientation.w = math.sin(yaw / 2), math.cos(yaw / 2)
    return pose
