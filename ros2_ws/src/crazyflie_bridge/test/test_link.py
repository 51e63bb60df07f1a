"""The link against a simulated vehicle: connecting, losing, finding again. No ROS."""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from crazyflie_bridge import driver
from crazyflie_bridge.link import CrazyflieLink, LinkStatus
from crazyflie_bridge.telemetry import Telemetry
from crazyflie_harness import Vehicle, vehicle
from planner_core.clock import SystemClock
from planner_core.errors import ConfigurationError, MissingDriverError

pytest.importorskip("cflib")
TIMEOUT_S = 15.0
SETTINGS = {"stabilizer.controller": 2.0, "kalman.initialX": 1.5}


@pytest.fixture(scope="module")
def robot() -> Iterator[Vehicle]:
    with vehicle() as running:
        yield running


@contextmanager
def link_to(uri: str, settings: dict[str, float] | None = None) -> Iterator[CrazyflieLink]:
    clock = SystemClock()
    values = SETTINGS if settings is None else settings
    link = CrazyflieLink(uri, Telemetry(clock.steady_ns), lambda _: values, clock, 0.5)
    link.start()
    try:
        yield link
    finally:
        link.close()
        assert link.report.status is LinkStatus.CLOSED


def wait(condition: Callable[[], bool], timeout_s: float = TIMEOUT_S) -> float:
    began, pause = time.monotonic(), threading.Event()
    while not condition():
        assert time.monotonic() - began < timeout_s
        pause.wait(0.005)
    return time.monotonic() - began


def up(link: CrazyflieLink) -> bool:
    return link.report.status is LinkStatus.UP


def test_connects_sets_parameters_and_leaves_no_thread() -> None:
    before = threading.active_count()
    with vehicle() as robot:
        with link_to(robot.uri) as link:
            assert wait(lambda: up(link)) < 3.0
            assert robot.truth.settings == {"controller": 2, "initial_x": 1.5}
        assert robot.truth.motors == 0.0
    wait(lambda: threading.active_count() == before)


def test_connects_over_a_lossy_link() -> None:
    with vehicle() as robot:
        robot.inject("packet_loss", 0.03)
        with link_to(robot.uri) as link:
            wait(lambda: up(link))
            assert robot.truth.settings == {"controller": 2, "initial_x": 1.5}
            assert link.report.session == 1


def test_nobody_there_then_somebody() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with link_to(f"udp://127.0.0.1:{port}") as link:
        wait(lambda: link.report.error is not None)
        assert link.report.error is not None
        assert link.report.error.code == 601
        assert str(port) in str(link.report.error)
        assert link.report.session == 0
        with vehicle("--port", str(port)):
            wait(lambda: up(link))
            assert link.report.session == 1


def test_silence_is_noticed_and_ends_in_a_new_session_if_it_lasts(robot: Vehicle) -> None:
    with link_to(robot.uri) as link:
        wait(lambda: up(link))
        robot.inject("silence")
        assert 0.3 < wait(lambda: link.report.status is LinkStatus.SILENT) < 1.5
        assert link.report.error is not None
        assert link.report.error.code == 602
        robot.inject("silence", 0)
        wait(lambda: up(link), 2.0)
        assert link.report.session == 1
        robot.inject("silence")
        wait(lambda: link.report.status in (LinkStatus.WAITING, LinkStatus.CONNECTING))
        assert link.report.error is not None
        assert link.report.error.code == 602
        robot.inject("silence", 0)
        wait(lambda: up(link))
        assert link.report.session == 2


def test_a_rebooted_robot_is_set_up_again(robot: Vehicle) -> None:
    with link_to(robot.uri) as link:
        wait(lambda: up(link))
        robot.inject("restart")
        assert robot.truth.settings == {"controller": 1, "initial_x": 0.0}
        wait(lambda: up(link) and link.report.session == 2)
        assert robot.truth.settings == {"controller": 2, "initial_x": 1.5}


def test_firmware_without_a_parameter_is_refused_by_its_name(robot: Vehicle) -> None:
    with link_to(robot.uri, {"warp.drive": 1.0}) as link:
        wait(lambda: link.report.error is not None)
        assert link.report.error is not None
        assert link.report.error.code == 605
        assert "warp.drive" in str(link.report.error)


def test_an_urgent_action_overtakes_and_a_setpoint_is_replaced(robot: Vehicle) -> None:
    with link_to(robot.uri) as link:
        wait(lambda: up(link))
        order: list[str] = []
        held, entered = threading.Event(), threading.Event()
        link.post(lambda _: (entered.set(), held.wait(5.0)))
        assert entered.wait(5.0)
        link.post(lambda _: order.append("first"))
        link.post(lambda _: order.append("urgent"), urgent=True)
        link.post_setpoint(lambda _: order.append("old setpoint"))
        link.post_setpoint(lambda _: order.append("new setpoint"))
        held.set()
        wait(lambda: len(order) == 3)
        assert order == ["urgent", "first", "new setpoint"]


def test_high_level_commands_are_repeated_until_confirmed(robot: Vehicle) -> None:
    with link_to(robot.uri) as link:
        wait(lambda: up(link))
        sent: list[float] = []

        def lost_at_first(client) -> None:
            sent.append(time.monotonic())
            if len(sent) >= 3:
                client.high_level_commander.takeoff(0.5, 1.0)

        link.command(7, lost_at_first)
        wait(lambda: link.settled)
        assert len(sent) == 3
        wait(lambda: robot.height > 0.3)


@pytest.mark.parametrize("uri", ["", "crazyflie", "http://127.0.0.1:80", "udp://"])
def test_what_is_no_address_is_refused(uri: str) -> None:
    with pytest.raises(ConfigurationError, match="udp://127"), link_to(uri):
        pass


def test_without_cflib_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cflib.crtp", None)
    with pytest.raises(MissingDriverError, match=r"pip install cflib==0\.1\.34"):
        driver.load_drivers()
