"""Scenarios flown by the stock client, each in a process of its own.

Run as ``python cflib_scenarios.py NAME URI``; prints one line of JSON. The client library is kept
out of the test process: it is GPL software and an optional dependency.
"""

from __future__ import annotations

import json
import logging
import math
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise

import cflib.crtp
from cflib.crazyflie import Crazyflie
from cflib.crazyflie.log import LogConfig

FIELDS = ("x", "y", "z", "vx", "vy", "vz")
WAIT_S = 20.0


@contextmanager
def connected(uri: str, *, resend: bool = False) -> Iterator[Crazyflie]:
    """A client whose link is up and whose parameters are read."""
    client = Crazyflie(rw_cache=None)
    ready, failed = threading.Event(), []
    client.fully_connected.add_callback(lambda _: ready.set())
    client.connection_failed.add_callback(lambda _, why: (failed.append(why), ready.set()))
    if resend:
        original = cflib.crtp.get_link_driver

        def reliable(*arguments):
            driver = original(*arguments)
            driver.needs_resending = True
            return driver

        cflib.crtp.get_link_driver = reliable
    client.open_link(uri)
    if not ready.wait(WAIT_S) or failed:
        raise SystemExit(f"not connected: {failed}")
    yield client
    client.close_link()


def wait_until(condition: Callable[[], bool], limit_s: float = WAIT_S) -> float:
    """Wait for a condition; the time that it took."""
    start = time.monotonic()
    while not condition():
        if time.monotonic() - start > limit_s:
            raise SystemExit("a condition never held")
        time.sleep(0.01)
    return time.monotonic() - start


class Track:
    """State estimates streamed at 100 Hz."""

    def __init__(self, client: Crazyflie) -> None:
        self.rows: list[tuple[int, dict[str, float]]] = []
        block = LogConfig("state", 10)
        for field in FIELDS:
            block.add_variable(f"stateEstimate.{field}", "float")
        block.data_received_cb.add_callback(lambda at, row, _: self.rows.append((at, row)))
        client.log.add_config(block)
        block.start()
        wait_until(lambda: bool(self.rows))

    @property
    def position(self) -> list[float]:
        return [self.rows[-1][1][f"stateEstimate.{axis}"] for axis in "xyz"]

    @property
    def speed(self) -> float:
        return math.hypot(*(self.rows[-1][1][f"stateEstimate.v{axis}"] for axis in "xyz"))


def fly(uri: str) -> dict:
    """Connect, set a parameter, fly with both commanders, land."""
    began = time.monotonic()
    with connected(uri) as client:
        took = time.monotonic() - began
        client.param.set_value("posCtlPid.xVelMax", "0.8")
        wait_until(lambda: client.param.get_value("posCtlPid.xVelMax").startswith("0.8"))
        track = Track(client)
        high = client.high_level_commander
        high.takeoff(0.8, 1.5)
        wait_until(lambda: abs(track.position[2] - 0.8) < 0.05)
        start = track.position
        high.go_to(0.5, 0.0, 0.0, 0.0, 1.5, relative=True)
        wait_until(lambda: abs(track.position[0] - start[0] - 0.5) < 0.02 and track.speed < 0.03)
        centre = track.position
        errors, first = [], time.monotonic()
        r, w = 0.4, 0.75
        while (t := time.monotonic() - first) < 5.0:
            phase = w * t - math.sin(w * t)  # Starts at rest, as the vehicle does.
            rate, growth = w * (1.0 - math.cos(w * t)), w * w * math.sin(w * t)
            c, s = math.cos(phase), math.sin(phase)
            wanted = [centre[0] + r * (c - 1), centre[1] + r * s, 0.8]
            client.commander.send_full_state_setpoint(
                wanted,
                [-r * rate * s, r * rate * c, 0.0],
                [-r * (growth * s + rate**2 * c), r * (growth * c - rate**2 * s), 0.0],
                [0.0, 0.0, 0.0, 1.0], 0.0, 0.0, 0.0,
            )  # fmt: skip
            errors.append(math.dist(wanted, track.position))
            time.sleep(0.01)
        locked_out = client.supervisor.hl_control_disabled
        client.commander.send_notify_setpoint_stop()
        high.land(0.0, 1.5)
        wait_until(lambda: track.position[2] < 0.04)
        stamps = [at for at, _ in track.rows]
        return {
            "connect_s": took,
            "log_hz": 1000.0 * (len(stamps) - 1) / (stamps[-1] - stamps[0]),
            "log_gaps": sum(b - a != 10 for a, b in pairwise(stamps)),
            "tracking_error_m": max(errors),
            "locked_out": locked_out,
            "states": client.supervisor.read_state_list(),
        }


def estimator(uri: str) -> dict:
    """Send poses until the estimator has converged on them."""
    with connected(uri) as client:
        block = LogConfig("variance", 20)
        rows = []
        for axis in "XYZ":
            block.add_variable(f"kalman.varP{axis}", "float")
        block.data_received_cb.add_callback(lambda _, row, __: rows.append(row))
        client.log.add_config(block)
        client.param.set_value("kalman.resetEstimation", "1")
        block.start()
        wait_until(lambda: bool(rows))
        before = max(rows[-1].values())

        def converged() -> bool:
            client.extpos.send_extpose(1.0, 2.0, 0.0, 0.0, 0.0, 0.0, 1.0)
            return max(rows[-1].values()) < 1e-3

        took = wait_until(converged)
        track = Track(client)
        return {"before": before, "took_s": took, "position": track.position}


def lossy(uri: str) -> dict:
    """Connect over a link that loses packets, with the driver's resending switched on."""
    with connected(uri, resend=True) as client:
        return {"log": len(client.log.toc.toc), "param": len(client.param.toc.toc)}


def arm(uri: str) -> dict:
    """Arm a brushless vehicle, stop it by emergency stop."""
    with connected(uri) as client:
        supervisor = client.supervisor
        before = supervisor.is_armed
        supervisor.send_arming_request(True)
        wait_until(lambda: supervisor.is_armed)
        supervisor.send_emergency_stop()
        wait_until(lambda: supervisor.is_locked)
        return {"before": before, "after": supervisor.is_armed}


def scan(uri: str) -> dict:
    """Look for vehicles on the scanned ports."""
    del uri
    return {"found": [link for link, _ in cflib.crtp.scan_interfaces() if link.startswith("udp")]}


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    cflib.crtp.init_drivers()
    scenario = {f.__name__: f for f in (fly, estimator, lossy, arm, scan)}[sys.argv[1]]
    print("RESULT " + json.dumps(scenario(sys.argv[2])), flush=True)
