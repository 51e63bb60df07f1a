"""A live view in a process of its own, a graph for it to look at, and the colours that it shows."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import rclpy
from headless_browser import wait_until
from matplotlib.colors import rgb_to_hsv
from planner_ros.qos import LATCHED
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile

Published = tuple[str, Any, QoSProfile]
VIEW = "from robot_view.live_view import main; raise SystemExit(main())"


class Process:
    """A live view in a process of its own."""

    def __init__(self, environment: dict[str, str], *parameters: str) -> None:
        arguments = ["--ros-args", *(part for p in parameters for part in ("-p", p))]
        self._process = subprocess.Popen(
            [sys.executable, "-c", VIEW, *arguments],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self.output = ""
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.output += line

    def url(self) -> str:
        """Where it serves, as its log says."""
        wait_until(lambda: "live view at" in self.output, 60.0)
        found = re.search(r"http://\S+", self.output)
        assert found is not None
        return found.group()

    def end(self, number: int | None = signal.SIGINT) -> int:
        """Wait for its end, after a signal if one is given; the exit code."""
        if number is not None and self._process.poll() is None:
            self._process.send_signal(number)
        code = self._process.wait(timeout=60.0)
        self._reader.join()
        return code


@contextmanager
def publishing(
    domain: int, latched: Mapping[str, Any], messages: Callable[[], Iterable[Published]]
) -> Iterator[None]:
    """Publish until the end of the block: some messages once, others twenty times a second."""
    context = Context()
    rclpy.init(context=context, domain_id=domain)
    node = rclpy.create_node("fake_robot", context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    for topic, message in latched.items():
        node.create_publisher(type(message), topic, LATCHED).publish(message)
    publishers: dict[str, Publisher] = {}

    def publish() -> None:
        for topic, message, qos in messages():
            if topic not in publishers:
                publishers[topic] = node.create_publisher(type(message), topic, qos)
            publishers[topic].publish(message)

    node.create_timer(0.05, publish)
    stopping = threading.Event()

    def spin() -> None:
        while not stopping.is_set():
            executor.spin_once(timeout_sec=0.1)

    thread = threading.Thread(target=spin)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()
        executor.shutdown()
        node.destroy_node()
        rclpy.shutdown(context=context)


def share_of_hue(
    image: np.ndarray, hue: tuple[float, float], least_saturation: float, value: tuple[float, float]
) -> float:
    """Share of pixels of the scene, left of the panel, with a hue and a brightness."""
    h, s, v = np.moveaxis(rgb_to_hsv(image[:, :950, :3]), 2, 0)
    inside = (h > hue[0]) & (h < hue[1]) & (s > least_saturation) & (v > value[0]) & (v < value[1])
    return float(inside.mean())
