"""The live view, as a process and in a browser."""

from __future__ import annotations

import io
import itertools
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from headless_browser import Browser, wait_until
from live_view_process import Process, Published, publishing, share_of_hue
from matplotlib.image import imread
from planner_ros.qos import LATCHED, LATEST, ORDERED
from synthetic_flight import (
    START_S,
    bridge_status,
    candidates,
    execution_status,
    goal,
    odometry,
    plan,
    planner_status,
    world,
)

DOMAIN = 84
LATCHED_MESSAGES = {"world/markers": world(), "goal": goal(START_S)}


@pytest.fixture
def environment() -> dict[str, str]:
    return os.environ | {"ROS_DOMAIN_ID": str(DOMAIN)}


@pytest.fixture
def robot() -> Iterator[None]:
    """A system that stands in the middle of a flight, published until the test ends."""
    moment = START_S + 2.0
    there = np.arange(START_S, moment, 0.1)
    way = itertools.cycle([*there, *there[::-1]])
    repeated = [
        ("plan", plan(moment, 1), ORDERED),
        ("plan/candidates", candidates(moment), ORDERED),
        ("execution/status", execution_status(moment), ORDERED),
        ("bridge/status", bridge_status(moment), LATCHED),
        ("planner/status", planner_status(moment), LATCHED),
    ]

    def messages() -> Iterator[Published]:
        yield "odometry", odometry(next(way)), LATEST
        yield from repeated

    with publishing(DOMAIN, LATCHED_MESSAGES, messages):
        yield


def shows_everything(image: np.ndarray) -> bool:
    """Whether obstacle, plan and both kinds of candidates are in the picture."""
    dark, bright = (0.2, 0.6), (0.6, 1.0)
    return (
        share_of_hue(image, (0.55, 0.68), 0.2, dark) > 5e-3  # the cylinder
        and share_of_hue(image, (0.35, 0.45), 0.5, (0.3, 1.0)) > 2e-4  # plan and goal
        and share_of_hue(image, (0.55, 0.65), 0.2, bright) > 3e-4  # feasible candidates
        and share_of_hue(image, (0.95, 1.0), 0.2, bright) > 5e-5  # the infeasible one
    )


@pytest.mark.browser
def test_browser_shows_world_plan_and_status_without_the_internet(
    robot: None, environment: dict[str, str], tmp_path: Path
) -> None:
    view = Process(environment, "port:=0")
    try:
        with Browser(tmp_path / "profile") as browser:
            browser.open(view.url())
            wait_until(lambda: "5.0 / 9.0 ms" in browser.text(), 150.0)
            text = browser.text()
            for expected in ("tracking", "planning", "active", "20.0 Hz", "80 %, 3.90 V", "4 of 5"):
                assert expected in text, expected

            def drawn() -> bool:
                return shows_everything(imread(io.BytesIO(browser.screenshot())))

            try:
                wait_until(drawn, 90.0)
            finally:
                (tmp_path / "view.png").write_bytes(browser.screenshot())
            assert browser.hosts == {"127.0.0.1"}
            assert any(url.startswith("ws://") for url in browser.requests)
    finally:
        code = view.end()
    assert code == 0, view.output


def test_taken_port_is_one_clear_line(environment: dict[str, str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        view = Process(environment, f"port:={port}")
        assert view.end(None) == 1
    assert view.output.count("\n") == 1
    assert f"127.0.0.1:{port}: Address already in use" in view.output


def test_foreign_address_is_refused(environment: dict[str, str]) -> None:
    # 192.0.2.0/24 is reserved for documentation: no machine has it.
    view = Process(environment, "host:=192.0.2.1")
    assert view.end(None) == 1
    assert "[E100]" in view.output
    assert view.output.count("\n") == 1


def test_listens_on_loopback_only(environment: dict[str, str]) -> None:
    view = Process(environment, "port:=0")
    try:
        port = int(view.url().rsplit(":", 1)[1])
        listening = [
            line.split()[1]
            for table in ("tcp", "tcp6")
            for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
            if line.split()[3] == "0A" and line.split()[1].endswith(f":{port:04X}")
        ]
        assert listening == [f"0100007F:{port:04X}"]
    finally:
        assert view.end(signal.SIGTERM) == 0, view.output


@pytest.mark.parametrize("parameter", ["port:=70000", "rate_hz:=1000.0", "prot:=8080"])
def test_wrong_parameters_are_refused(parameter: str, environment: dict[str, str]) -> None:
    view = Process(environment, parameter)
    assert view.end(None) == 1
    assert parameter.split(":")[0] in view.output
