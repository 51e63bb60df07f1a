"""Let a Go2 walk at a velocity, planned by a learned generator.

ros2 launch planner go2_velocity.launch.py
ros2 launch planner go2_velocity.launch.py goal:=0.3,0.0,0.2 steering:=turn_rate duration_s:=20
ros2 launch planner go2_velocity.launch.py goal:=none
ros2 launch planner go2_velocity.launch.py robot:=go2 goal:=none view:=false

The simulated robot speaks DDS through cyclonedds, an extra of robot_simulation.
"""

from launch import LaunchDescription
from planner.launching import SHARED, RobotLaunch, describe
from planner_core.walking_task import HEADING, LIMITS

ARGUMENTS = (
    ("robot", "simulation", "Which robot walks.", ("simulation", "go2")),
    ("planner", "mpdiffuser", "Planner plugin: mpdiffuser, …", None),
    ("model", "go2_velocity", "Model bundle of the planner, by name or path.", None),
    ("goal", "0.5,0.0,0.0", "Velocity ahead, to the left, and how it turns; or `none`.", None),
    (
        "steering",
        HEADING,
        "What the third is: a heading to hold, 0 where the robot looked as it "
        "was switched on, or a turn rate.",
        (HEADING, "turn_rate"),
    ),
    ("duration_s", "60", "How long the velocity is to be kept.", None),
    *SHARED,
)


def graph(launch: RobotLaunch) -> list[object]:
    """The nodes, once the arguments are known."""
    argument, node, robot = launch.argument, launch.node, launch.robot
    bridged = lambda: [  # noqa: E731
        node("go2_bridge", "go2_bridge", robot),
        node("state_estimation", "legged_estimation", robot, {"model": argument["model"]}),
    ]
    walking = {
        "simulation": lambda: [
            node("robot_simulation", "go2_simulation", {"seed": launch.seed}), *bridged()
        ],
        "go2": bridged,
    }[argument["robot"]]()  # fmt: skip
    task = {"task": "walk", "goal_names": [*list(LIMITS)[:2], argument["steering"]]}
    kept = {"settle_s": float(argument["duration_s"])}
    planning = launch.planning(navigator=kept)
    actions = [*walking, *planning]
    if argument["view"] == "true":
        # Where the robot is, it says itself: no estimator of ours stands between.
        seen = {"remappings": [("odometry", "robot/odometry")]}
        actions += [
            node("robot_view", "live_view", robot, **seen),
            node("robot_view", "flight_report", robot, **seen),
        ]
    return [*actions, *launch.recording(), *launch.mission(**task)]


def generate_launch_description() -> LaunchDescription:
    """The arguments, and the graph that they describe."""
    return describe("go2", ARGUMENTS, graph)
