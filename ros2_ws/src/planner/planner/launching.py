"""What the launch files of all robots share: arguments, nodes, and how a launch ends.

A launch file says which nodes are the robot's; planning, execution, recording and display are the
same for all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from ament_index_python.packages import get_package_share_directory
from launch import LaunchContext, LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    OpaqueFunction,
    RegisterEventHandler,
    Shutdown,
)
from launch.event_handlers import OnProcessExit
from launch.events.process import ProcessExited
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from planner_core.plain_data import read_yaml

Argument = tuple[str, str, str, tuple[str, ...] | None]
"""Name, default, description, choices."""
Parameters = dict[str, object]

TRUTH: Final = ("true", "false")
NODES: Final[tuple[Argument, ...]] = (
    ("seed", "0", "Seed of random worlds, of noise and of the planner.", None),
    ("use_sim_time", "false", "Follow /clock instead of the system's clock.", TRUTH),
)
"""Arguments of every launch file."""
PLANNING: Final[tuple[Argument, ...]] = (
    ("standby", "none", "Planner plugin of a second server for when the first one fails.", None),
    ("episodes", "0", "Episodes in random worlds of the simulation, then an end.", None),
    ("report", "none", "JSON file for the figures of the episodes.", None),
    ("record", "false", "Record each goal as an episode: a rosbag of its own.", TRUTH),
    ("bags", "bags", "Folder of the recorded episodes.", None),
    *NODES,
)
"""Arguments of one that plans."""
SHARED: Final[tuple[Argument, ...]] = (
    *PLANNING,
    ("view", "true", "Show the robot in the browser and report it as a page.", TRUTH),
)
"""Arguments of one for a whole robot."""
# A standby server publishes beside the planner. Each hears the other's plans: the robot may be
# following those.
STANDBY_REMAPPINGS: Final = [
    ("plan", "plan/standby"), ("plan/other", "plan"), ("plan/path", "plan/standby/path"),
    ("plan/candidates", "plan/standby/candidates"), ("plan/markers", "plan/standby/markers"),
    ("planner/status", "planner/standby/status"),
]  # fmt: skip
PLANNER_REMAPPINGS: Final = [("plan/other", "plan/standby")]
STANDBY_SETTINGS: Final[Parameters] = {"replan_rate_hz": 20.0, "publish_candidates": False}
STANDBY_CHUNK: Final = 2
"""Periods at least of a standby's plan that may be executed: it replans less often."""


class RobotLaunch:
    """The graph of one robot, once the arguments are known.

    Args:
        robot: Name of the robot; the files of ``config/<robot>/`` come after those of ``config/``.
        argument: Values of the launch arguments.
    """

    def __init__(self, robot: str, argument: dict[str, str]) -> None:
        self.robot: Parameters = {"robot": robot}
        self.argument = argument
        self.seed = int(argument["seed"])
        self.share = Path(get_package_share_directory("planner"))
        self._name = robot

    def node(
        self, package: str, executable: str, *parameters: Parameters, **different: object
    ) -> Node:
        """A node with its configuration files and what the launch sets."""
        clock = {"use_sim_time": self.argument["use_sim_time"] == "true"}
        options: dict[str, object] = {
            "name": executable,
            "output": "screen",
            # A robot in motion comes to rest before its processes end.
            "sigterm_timeout": "15",
            "parameters": [*map(str, self._files(executable)), clock, *parameters],
        }
        return Node(package=package, executable=executable, **(options | different))

    def world_file(self) -> str:
        """The argument ``world``: a name in config/worlds as its file, else as it is."""
        world = self.argument["world"]
        named = self.share / "config" / "worlds" / f"{world}.yaml"
        return str(named) if named.is_file() else world

    def planning(self, *server: Parameters, navigator: Parameters | None = None) -> list[object]:
        """Execution, planner, standby planner, navigator.

        Args:
            server: Parameters of both planner servers.
            navigator: Parameters of the navigator.
        """
        argument = self.argument
        planner = {"planner": argument["planner"], "model": argument["model"], "seed": self.seed}
        graph: list[object] = [
            self.node("plan_execution", "plan_execution", self.robot),
            self.node("planner", "planner_server", self.robot, planner, *server,
                      remappings=PLANNER_REMAPPINGS),
            self.node("planner", "navigator", self.robot, navigator or {}),
        ]  # fmt: skip
        if argument["standby"] != "none":
            standby = self.standby_settings() | planner | {"planner": argument["standby"]}
            other = {"name": "standby_planner", "remappings": STANDBY_REMAPPINGS}
            graph.append(
                self.node("planner", "planner_server", self.robot, standby, *server, **other)
            )
        return graph

    def standby_settings(self) -> Parameters:
        """What a standby server is told of the planner's configuration.

        Its node has another name than the files speak of, which would therefore mean nothing to it.
        """
        settings: Parameters = {}
        for file in self._files("planner_server"):
            settings |= read_yaml(file.read_text())["/**/planner_server"]["ros__parameters"]
        settings |= STANDBY_SETTINGS
        chunk = settings.get("chunk_length", 0)
        assert isinstance(chunk, int)
        # 0 is the whole plan.
        return settings | {"chunk_length": chunk and max(chunk, STANDBY_CHUNK)}

    def _files(self, executable: str) -> list[Path]:
        """The configuration files of a node that there are; the later ones count."""
        config = self.share / "config"
        files = [config / f"{executable}.yaml", config / self._name / f"{executable}.yaml"]
        return [file for file in files if file.is_file()]

    def recording(self) -> list[object]:
        """The recorder, where it is asked for."""
        if self.argument["record"] != "true":
            return []
        folder: Parameters = {"folder": self.argument["bags"]}
        return [self.node("episode_recorder", "episode_recorder", folder)]

    def mission(self, **task: object) -> list[object]:
        """What gives the goals, and ends the launch when it is through; nothing for ``none``.

        Args:
            task: Further parameters of the mission.
        """
        argument, episodes = self.argument, int(self.argument["episodes"])
        if not episodes and argument["goal"] == "none":
            return []
        report = "" if argument["report"] == "none" else argument["report"]
        parameters: Parameters = {
            "goal": argument["goal"], "episodes": episodes, "seed": self.seed, "report": report,
            **task,
        }  # fmt: skip
        mission = self.node("planner", "mission", parameters)
        ended = OnProcessExit(target_action=mission, on_exit=[Shutdown(reason="mission ended")])
        return [mission, RegisterEventHandler(ended)]


def describe(
    robot: str, arguments: Sequence[Argument], graph: Callable[[RobotLaunch], list[object]]
) -> LaunchDescription:
    """A launch description.

    Args:
        robot: Name of the robot.
        arguments: All arguments of the launch file.
        graph: Makes the actions.
    """
    declared = [
        DeclareLaunchArgument(
            name,
            default_value=default,
            description=text,
            **({"choices": list(choices)} if choices else {}),
        )
        for name, default, text, choices in arguments
    ]

    def actions(context: LaunchContext, *_: Any) -> list[object]:
        values = {name: LaunchConfiguration(name).perform(context) for name, *_ in arguments}
        refusal = RegisterEventHandler(OnProcessExit(on_exit=_end_after_refusal))
        return [refusal, *graph(RobotLaunch(robot, values))]

    return LaunchDescription([*declared, OpaqueFunction(function=actions)])


def _end_after_refusal(event: ProcessExited, _context: LaunchContext) -> list[object]:
    """End everything when a node refuses to run: a wrong name, a taken port, a bad bundle.

    A node that dies otherwise does not end the motion from here: execution and bridge bring the
    robot to rest.
    """
    if event.returncode != 1:
        return []
    return [Shutdown(reason=f"{event.process_name} refused to run")]
