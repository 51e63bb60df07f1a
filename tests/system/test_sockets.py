"""The graph listens on this machine alone, unless told otherwise."""

from __future__ import annotations

import ipaddress
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest


def addresses(process: psutil.Process) -> set[tuple[str, str, int]]:
    """Command, address and port of every bound or listening socket of a process and below it."""
    found = set()
    for member in [process, *process.children(recursive=True)]:
        try:
            name = Path(member.cmdline()[-1] if member.cmdline() else member.name()).name
            for connection in member.net_connections(kind="inet"):
                if connection.status in (psutil.CONN_LISTEN, psutil.CONN_NONE):
                    found.add((name, connection.laddr.ip, connection.laddr.port))
        except psutil.NoSuchProcess:
            continue
    return found


PROFILE = Path(__file__).resolve().parents[2] / "config" / "dds" / "loopback.xml"
VARIABLES = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")


@pytest.mark.slow
def test_graph_listens_on_loopback_only(ros_domain: int, tmp_path: Path) -> None:
    """Simulated Crazyflie, view and report: DDS, the simulation's UDP server, the page."""
    log = tmp_path / "log"
    command = ["ros2", "launch", "planner", "crazyflie_nav.launch.py", "goal:=none",
               "uri:=udp://127.0.0.1:19893"]  # fmt: skip
    # A genuine ROS 2 has no such default: there it is for the user to set.
    environment = dict.fromkeys(VARIABLES, str(PROFILE)) | os.environ
    with log.open("w") as output:
        launched = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env=environment, cwd=tmp_path
        )
    process = psutil.Process(launched.pid)
    try:
        deadline = time.monotonic() + 120.0
        found: set[tuple[str, str, int]] = set()
        # The page and the simulation's port are the last to open.
        while not {8080, 19893} <= {port for _, _, port in found}:
            assert launched.poll() is None, log.read_text()
            assert time.monotonic() < deadline, (found, log.read_text()[-3000:])
            time.sleep(0.2)
            found = addresses(process)
    finally:
        launched.send_signal(signal.SIGINT)
        launched.wait(timeout=90.0)
    assert re.search("live view at http://127.0.0.1:8080", log.read_text())
    # From ports that the kernel chose Fast DDS only sends; nothing reads what comes there.
    chosen = range(*map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()))
    abroad = {
        entry
        for entry in found
        if not ipaddress.ip_address(entry[1]).is_loopback and entry[2] not in chosen
    }
    assert {port for _, address, port in found if address == "127.0.0.1"} >= {8080, 19893}
    assert abroad == set()
