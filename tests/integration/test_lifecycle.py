"""Managed nodes under random transitions, with exceptions in every hook."""

from __future__ import annotations

import gc
import os
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import psutil
import pytest
import rclpy
from planner.server import PlannerServer
from planner_core.errors import PlanningError
from rclpy._rclpy_pybind11 import RCLError
from rclpy.lifecycle import TransitionCallbackReturn

TRANSITIONS = ("configure", "activate", "deactivate", "cleanup")
Wait = Callable[..., None]


class TorturedServer(PlannerServer):
    """A planner server whose hooks fail at random: with a code, or with a mistake."""

    def __init__(self) -> None:
        self.chance = random.Random(1)
        self.raised = 0
        super().__init__()

    def set_up(self) -> None:
        super().set_up()
        self._perhaps_fail()

    def start(self) -> None:
        super().start()
        self._perhaps_fail()

    def halt(self) -> None:
        super().halt()
        self._perhaps_fail()

    def take_down(self) -> None:
        super().take_down()
        self._perhaps_fail()

    def _perhaps_fail(self) -> None:
        luck = self.chance.random()
        if luck < 0.3:
            self.raised += 1
            raise PlanningError("on purpose") if luck < 0.15 else RuntimeError("on purpose")


@pytest.fixture
def server(ros_domain: int) -> Iterator[TorturedServer]:
    arguments = ["-p", "autostart:=false", "-p", "planner:=straight_line", "-p", "model:=''"]
    rclpy.init(domain_id=ros_domain, args=["--ros-args", "--log-level", "fatal", *arguments])
    server = TorturedServer()
    yield server
    server.destroy_node()
    rclpy.shutdown()


def test_five_hundred_random_transitions(server: TorturedServer, wait_until: Wait) -> None:
    process = psutil.Process(os.getpid())

    def move(count: int) -> list[TransitionCallbackReturn]:
        results: list[TransitionCallbackReturn] = []
        while len(results) < count:
            name = server.chance.choice(TRANSITIONS)
            # Not possible from the present state: refused, and nothing has changed.
            with suppress(RCLError):
                results.append(getattr(server, f"trigger_{name}")())
        return results

    move(50)  # whatever is allocated once
    threads = threading.active_count() - server._planning.running
    gc.collect()
    before = process.memory_info().rss
    results = move(500)
    # Every way a transition can end was taken, more than once.
    assert min(results.count(end) for end in set(TransitionCallbackReturn.__members__.values())) > 5
    assert server.raised > 50
    # It still works, and leaves nothing behind.
    server.chance.random = lambda: 1.0  # type: ignore[method-assign]
    for name in ("deactivate", "cleanup", "configure", "activate"):
        with suppress(RCLError):
            getattr(server, f"trigger_{name}")()
    assert server.active
    server.trigger_deactivate()
    wait_until(lambda: threading.active_count() <= threads, "the threads of the start")
    gc.collect()
    grown = process.memory_info().rss - before
    print(
        f"500 transitions, {server.raised} exceptions: memory {grown / 1e6:+.1f} MB, no thread more"
    )
    assert grown < 20e6
