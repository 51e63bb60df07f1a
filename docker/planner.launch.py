"""The service `planner`: everything between states and commands, and one flight to the goal."""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, RegisterEventHandler, Shutdown
from launch.event_handlers import OnProcessExit
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

CONFIG = Path(get_package_share_directory("planner")) / "config"
ARGUMENTS = {
    "planner": ("one_step", "Planner plugin."),
    "provider": ("cpu", "What runs its graph: cpu, cuda or tensorrt."),
    "goal": ("world", "`world` for the world's own, or x,y,z in metres."),
}


def node(package: str, executable: str, **parameters: object) -> Node:
    """A node with its configuration."""
    return Node(
        package=package,
        executable=executable,
        name=executable,
        output="screen",
        parameters=[str(CONFIG / f"{executable}.yaml"), parameters],
    )


def generate_launch_description() -> LaunchDescription:
    """Arguments, nodes, and the end of the service with the end of the flight."""
    argument = {name: LaunchConfiguration(name) for name in ARGUMENTS}
    mission = node("planner", "mission", goal=argument["goal"])
    ended = OnProcessExit(target_action=mission, on_exit=[Shutdown(reason="mission ended")])
    return LaunchDescription(
        [
            *(
                DeclareLaunchArgument(name, default_value=default, description=text)
                for name, (default, text) in ARGUMENTS.items()
            ),
            node("plan_execution", "plan_execution"),
            node(
                "planner", "planner_server", planner=argument["planner"],
                provider=argument["provider"],
            ),
            node("planner", "navigator"),
            mission,
            RegisterEventHandler(ended),
        ]
    )  # fmt: skip
