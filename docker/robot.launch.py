"""The service `simulation`: a simulated Crazyflie, its bridge and its state estimation."""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

CONFIG = Path(get_package_share_directory("planner")) / "config"


def node(package: str, executable: str, **parameters: object) -> Node:
    """A node with its configuration; a robot in the air lands before its process ends."""
    return Node(
        package=package,
        executable=executable,
        name=executable,
        output="screen",
        sigterm_timeout="15",
        parameters=[str(CONFIG / f"{executable}.yaml"), parameters],
    )


def generate_launch_description() -> LaunchDescription:
    """Its arguments, and the three nodes."""
    world = str(CONFIG / "worlds" / "cluttered_room.yaml")
    port = LaunchConfiguration("port")
    return LaunchDescription(
        [
            DeclareLaunchArgument("world", default_value=world, description="World file."),
            DeclareLaunchArgument("port", default_value="19850", description="Of the Crazyflie."),
            node(
                "robot_simulation", "crazyflie_simulation", udp_port=port,
                world=LaunchConfiguration("world"),
            ),
            node("crazyflie_bridge", "crazyflie_bridge", uri=["udp://127.0.0.1:", port]),
            node("state_estimation", "state_estimation"),
        ]
    )  # fmt: skip
