"""Fly a Crazyflie through a cluttered room, planned by a learned generator.

ros2 launch planner crazyflie_nav.launch.py
ros2 launch planner crazyflie_nav.launch.py world:=random seed:=3 goal:=3.5,1.0,1.0
ros2 launch planner crazyflie_nav.launch.py episodes:=100 view:=false report:=figures.json
ros2 launch planner crazyflie_nav.launch.py episodes:=20 view:=false record:=true bags:=flights
ros2 launch planner crazyflie_nav.launch.py standby:=grid_search
ros2 launch planner crazyflie_nav.launch.py robot:=crazyflie uri:=radio://0/80/2M/E7E7E7E7E7
"""

from urllib.parse import urlsplit

from launch import LaunchDescription
from planner.launching import SHARED, RobotLaunch, describe

ARGUMENTS = (
    ("robot", "simulation", "Which robot flies.", ("simulation", "loopback", "crazyflie")),
    ("planner", "one_step", "Planner plugin: one_step, grid_search, straight_line, …", None),
    ("model", "crazyflie_navigation", "Model bundle of the planner, by name or path.", None),
    ("world", "cluttered_room", "World: `random`, a name in config/worlds, or a file.", None),
    ("goal", "world", "`world` for the world's own, x,y,z in metres, or `none` to wait.", None),
    ("uri", "udp://127.0.0.1:19850", "Where the Crazyflie is reached.", None),
    *SHARED,
)


def graph(launch: RobotLaunch) -> list[object]:
    """The nodes, once the arguments are known."""
    argument, node, robot = launch.argument, launch.node, launch.robot
    world = {"world": launch.world_file(), "seed": launch.seed}
    uri = {"uri": argument["uri"]}
    radio = {"udp_port": urlsplit(argument["uri"]).port or 19850}
    flying = {
        "loopback": lambda: [
            node("robot_bridge", "loopback_robot", robot, world),
            node("planner", "world_server", robot, world),
        ],
        "simulation": lambda: [
            node("robot_simulation", "crazyflie_simulation", world, radio),
            node("crazyflie_bridge", "crazyflie_bridge", robot, uri),
            node("state_estimation", "state_estimation", robot),
        ],
        "crazyflie": lambda: [
            node("planner", "world_server", robot, world),
            node("crazyflie_bridge", "crazyflie_bridge", robot, uri),
            node("state_estimation", "state_estimation", robot),
        ],
    }[argument["robot"]]()
    actions = [*flying, *launch.planning(world)]
    if argument["view"] == "true":
        actions += [node("robot_view", "live_view"), node("robot_view", "flight_report")]
    return [*actions, *launch.recording(), *launch.mission()]


def generate_launch_description() -> LaunchDescription:
    """The arguments, and the graph that they describe."""
    return describe("crazyflie", ARGUMENTS, graph)
