"""The service `planner`: everything between states and commands, and one flight to the goal."""

from launch import LaunchDescription
from planner.launching import PLANNING, RobotLaunch, describe

ARGUMENTS = (
    ("planner", "one_step", "Planner plugin.", None),
    ("model", "crazyflie_navigation", "Model bundle of the planner, by name or path.", None),
    ("provider", "cpu", "What runs its graph.", ("cpu", "cuda", "tensorrt")),
    ("goal", "world", "`world` for the world's own, or x,y,z in metres.", None),
    *PLANNING,
)


def graph(launch: RobotLaunch) -> list[object]:
    """The nodes, once the arguments are known."""
    provider = {"provider": launch.argument["provider"]}
    return [*launch.planning(provider), *launch.recording(), *launch.mission()]


def generate_launch_description() -> LaunchDescription:
    """The arguments, and the graph that they describe."""
    return describe("crazyflie", ARGUMENTS, graph)
