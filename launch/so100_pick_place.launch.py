"""Let an SO-100 pick a cube and place it, or stack it on another.

ros2 launch planner so100_pick_place.launch.py
ros2 launch planner so100_pick_place.launch.py task:=stack seed:=3
ros2 launch planner so100_pick_place.launch.py planner:=scripted_placing model:=none
ros2 launch planner so100_pick_place.launch.py episodes:=100 view:=false report:=figures.json
ros2 launch planner so100_pick_place.launch.py robot:=so100 port:=/dev/ttyACM0 goal:=0.2,0.1

The bridge speaks to the servos through lerobot, an extra: see requirements/so100.txt.
"""

from launch import LaunchDescription
from planner.launching import SHARED, RobotLaunch, describe

ARGUMENTS = (
    ("robot", "simulation", "Which arm moves.", ("simulation", "so100")),
    ("planner", "one_step", "Planner plugin: one_step, scripted_placing, …", None),
    ("model", "so100_pick_place", "Model bundle, by name or path; `none` for a script.", None),
    ("task", "pick_place", "What is done with the cube.", ("pick_place", "stack")),
    ("goal", "world", "`world` for the simulation's own, x,y in metres, or `none` to wait.", None),
    ("port", "/tmp/so100", "Serial port of the servos.", None),
    *SHARED,
)


def graph(launch: RobotLaunch) -> list[object]:
    """The nodes, once the arguments are known."""
    argument, node, robot = launch.argument, launch.node, launch.robot
    if argument["model"] == "none":
        argument["model"] = ""
    cubes = 2 if argument["task"] == "stack" else 1
    objects = {"objects": [f"cube_{index}" for index in range(cubes)]}
    port = {"port": argument["port"]}
    table = {"cubes": cubes, "seed": launch.seed}
    arm = [
        node("so100_bridge", "so100_bridge", robot, port),
        node("state_estimation", "joint_state_estimation", robot, objects),
    ]
    if argument["robot"] == "simulation":
        arm.insert(0, node("robot_simulation", "so100_simulation", port, table))
    task = {"task": argument["task"], "goal_names": ["object_x", "object_y"]}
    actions = [*arm, *launch.planning()]
    if argument["view"] == "true":
        near = {"goal_tolerance_m": 0.015}
        actions += [
            node("robot_view", "live_view", robot),
            node("robot_view", "flight_report", robot, near),
        ]
    return [*actions, *launch.recording(), *launch.mission(**task)]


def generate_launch_description() -> LaunchDescription:
    """The arguments, and the graph that they describe."""
    return describe("so100", ARGUMENTS, graph)
