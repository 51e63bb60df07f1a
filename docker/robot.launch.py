"""The service `simulation`: a simulated Crazyflie, its bridge and its state estimation."""

from launch import LaunchDescription
from planner.launching import NODES, RobotLaunch, describe

ARGUMENTS = (
    ("world", "cluttered_room", "World: `random`, or a name in config/worlds.", None),
    ("port", "19850", "UDP port of the Crazyflie.", None),
    *NODES,
)


def graph(launch: RobotLaunch) -> list[object]:
    """The nodes, once the arguments are known."""
    node, port = launch.node, int(launch.argument["port"])
    world = {"world": launch.world_file(), "seed": launch.seed}
    return [
        node("robot_simulation", "crazyflie_simulation", world, {"udp_port": port}),
        node("crazyflie_bridge", "crazyflie_bridge", {"uri": f"udp://127.0.0.1:{port}"}),
        node("state_estimation", "state_estimation"),
    ]


def generate_launch_description() -> LaunchDescription:
    """The arguments, and the graph that they describe."""
    return describe("crazyflie", ARGUMENTS, graph)
