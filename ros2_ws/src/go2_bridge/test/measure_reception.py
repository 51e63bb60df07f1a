"""Count what is lost of the robot's 500 samples a second, and what the bridge costs.

    ROS_DOMAIN_ID=61 python ros2_ws/src/go2_bridge/test/measure_reception.py --samples 30000

Robot and bridge run in a process of their own each, the robot simulated; the robot stands, so that
joint commands flow the other way meanwhile. Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import re
import signal
import time

import psutil
from go2_harness import Bridge, Go2, bridge, go2, operator


def measure(samples: int) -> dict[str, float]:
    """Receive for as long as the robot takes to send so many samples."""
    with go2() as robot, bridge(command_rate_hz=200.0) as running, operator() as pilot:
        pilot.stand()
        used = [_cpu_s(running), _cpu_s(robot)]
        began = time.monotonic()
        pilot.pass_time(samples / 500.0)
        elapsed = time.monotonic() - began
        shares = [
            (_cpu_s(process) - before) / elapsed
            for process, before in zip((running, robot), used, strict=True)
        ]
        output = running.end(signal.SIGINT)
    counts = {name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", output)}
    return {**counts, "bridge_cores": round(shares[0], 3), "robot_cores": round(shares[1], 3)}


def _cpu_s(running: Bridge | Go2) -> float:
    """Processor time that a process has used [s]."""
    times = psutil.Process(running.process.pid).cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--samples", type=int, default=30_000)
    print(json.dumps(measure(parser.parse_args().samples)))
