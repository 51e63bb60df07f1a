"""The node that reports flights, in process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import rclpy
from headless_browser import wait_until
from planner_interfaces.msg import Goal
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from robot_view.flight_report import TOPICS, FlightReport
from synthetic_flight import EXPECTED, flight_messages

DOMAIN = 85
FILE = "crazyflie_19700101_000010.png"


@pytest.fixture
def system(
    tmp_path: Path,
) -> Iterator[tuple[FlightReport, Callable[..., None], Callable[..., None]]]:
    """The node, a way to publish to it, and a way to let it run until a condition holds."""
    rclpy.init(
        args=["--ros-args", "-p", f"output_dir:={tmp_path / 'pages'}", "-p", "settle_s:=0.2"],
        domain_id=DOMAIN,
    )
    report = FlightReport()
    fake = Node("fake", use_global_arguments=False)
    executor = SingleThreadedExecutor()
    executor.add_node(report)
    publishers = {t: fake.create_publisher(kind, t, qos) for t, (kind, qos) in TOPICS.items()}
    wait_until(lambda: all(p.get_subscription_count() for p in publishers.values()), 10.0)

    def run_until(condition: Callable[[], bool], timeout_s: float = 10.0) -> None:
        def step() -> bool:
            executor.spin_once(timeout_sec=0.05)
            return condition()

        wait_until(step, timeout_s)

    def publish(topic: str, message: Any) -> None:
        publishers[topic].publish(message)

    yield report, publish, run_until
    executor.remove_node(report)
    report.destroy_node()
    fake.destroy_node()
    executor.shutdown()
    rclpy.try_shutdown()


def publish_flight(report: FlightReport, publish: Any, run_until: Any, *, ended: bool) -> None:
    """The synthetic flight, each message taken in before the next one is sent."""
    taken: list[str] = []
    add = report._log.add

    def counting(topic: str, message: Any) -> None:
        taken.append(topic)
        add(topic, message)

    report._log.add = counting  # type: ignore[method-assign]
    sent = 0
    for topic, _, message in flight_messages():
        if topic == "goal" and message.kind == Goal.HOLD and not ended:
            continue
        publish(topic, message)
        sent += 1
        run_until(lambda: len(taken) == sent)  # noqa: B023


def test_flight_is_reported_at_its_end(system: Any, tmp_path: Path, capfd: Any) -> None:
    report, publish, run_until = system
    publish_flight(report, publish, run_until, ended=True)
    page = tmp_path / "pages" / FILE
    run_until(page.exists)
    report.shut_down()
    assert page.read_bytes().startswith(b"\x89PNG")
    output = "".join(capfd.readouterr())
    for name, value in EXPECTED.items():
        assert f"{name:<16}{value:>12}" in output


def test_flight_that_never_ended_is_reported_at_shutdown(system: Any, tmp_path: Path) -> None:
    report, publish, run_until = system
    publish_flight(report, publish, run_until, ended=False)
    assert not (tmp_path / "pages").exists()
    report.shut_down()
    assert (tmp_path / "pages" / FILE).exists()


def test_without_a_flight_nothing_is_written(system: Any, tmp_path: Path) -> None:
    report, _, _ = system
    report.shut_down()
    assert not (tmp_path / "pages").exists()


def test_folder_that_cannot_be_made_is_an_error_in_the_log(
    system: Any, tmp_path: Path, capfd: Any
) -> None:
    report, publish, run_until = system
    (tmp_path / "pages").write_text("a file")
    publish_flight(report, publish, run_until, ended=False)
    report.shut_down()
    assert "report not written" in "".join(capfd.readouterr())
