"""The live view of an arm and of a quadruped, in a browser."""

from __future__ import annotations

import io
import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from headless_browser import Browser, wait_until
from live_view_process import Process, Published, publishing, share_of_hue
from matplotlib.image import imread
from planner_ros.qos import LATCHED, LATEST, ORDERED
from synthetic_flight import bridge_status, execution_status, planner_status
from synthetic_motion import END_S, START_S, candidates, goal, objects, odometry, plan, state

DOMAINS = {"so100": 86, "go2": 87}
ORANGE, GREEN, BLUE, RED = (0.05, 0.13), (0.35, 0.45), (0.55, 0.68), (0.94, 1.0)
BRIGHT = (0.5, 1.0)


def shown(image: np.ndarray, robot: str) -> dict[str, float]:
    """Share of the picture that each thing has."""
    things = {
        "robot": share_of_hue(image, ORANGE, 0.3, (0.3, 1.0)),
        "plan": share_of_hue(image, GREEN, 0.4, (0.3, 1.0)),
        "feasible candidate": share_of_hue(image, BLUE, 0.4, BRIGHT),
        "infeasible candidate": share_of_hue(image, RED, 0.4, BRIGHT),
    }
    if robot == "so100":
        # The dark side of a cube is of no other thing.
        things["blue cube"] = share_of_hue(image, BLUE, 0.5, (0.2, 0.85))
    return things


@pytest.mark.browser
@pytest.mark.parametrize("robot", ["so100", "go2"])
def test_browser_shows_robot_plan_candidates_and_status(robot: str, tmp_path: Path) -> None:
    domain = DOMAINS[robot]
    moment = (START_S + END_S) / 2
    bridge, execution = bridge_status(moment), execution_status(moment)
    bridge.robot, execution.refused_plans, execution.gate_code = robot, 3, 503
    there = np.arange(START_S, END_S, 0.1)
    way = itertools.cycle([*there, *there[::-1]])

    def messages() -> Iterator[Published]:
        seconds = next(way)
        yield "state", state(robot, seconds), LATEST
        if robot == "go2":
            yield "odometry", odometry(seconds), LATEST
        else:
            yield "sensor/objects", objects(seconds), LATEST
        yield "plan", plan(robot, seconds), ORDERED
        yield "plan/candidates", candidates(robot, seconds), ORDERED
        yield "execution/status", execution, ORDERED
        yield "bridge/status", bridge, LATCHED
        yield "planner/status", planner_status(moment), LATCHED

    view = Process(
        os.environ | {"ROS_DOMAIN_ID": str(domain)}, f"robot:={robot}", "port:=0", "rate_hz:=5.0"
    )
    try:
        with (
            publishing(domain, {"goal": goal(robot, START_S)}, messages),
            Browser(tmp_path / "profile") as browser,
        ):
            browser.open(view.url())
            expected = ("tracking", "active", "5.0 / 9.0 ms", "3 refused, last by E503", robot)
            wait_until(lambda: all(text in browser.text() for text in expected), 150.0)
            least = 0.0

            def drawn() -> bool:
                nonlocal least
                picture = browser.screenshot()
                (tmp_path / "view.png").write_bytes(picture)
                least = min(shown(imread(io.BytesIO(picture)), robot).values())
                return least > 5e-5

            wait_until(drawn, 90.0)
            assert browser.hosts == {"127.0.0.1"}
    finally:
        code = view.end()
    assert code == 0, view.output
