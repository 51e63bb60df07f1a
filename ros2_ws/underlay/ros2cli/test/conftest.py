"""The command as a subprocess, and one running graph for all tests."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE_ROOT = Path(__file__).resolve().parents[1]
# This source tree, not an installed one; and what the test modules share.
sys.path[:0] = [str(PACKAGE_ROOT), str(Path(__file__).parent)]

from ros2_command import Ros2  # noqa: E402
from ros2cli.local_participants import count_local_participants  # noqa: E402

# Participants announce themselves every 3 s by default, and a command may have to wait for that.
FAST_DISCOVERY = """<?xml version="1.0" encoding="UTF-8"?>
<dds xmlns="http://www.eprosima.com"><profiles>
  <participant profile_name="fast_discovery" is_default_profile="true"><rtps><builtin>
    <discovery_config>
      <leaseAnnouncement><sec>0</sec><nanosec>100000000</nanosec></leaseAnnouncement>
    </discovery_config>
  </builtin></rtps></participant>
</profiles></dds>
"""


@pytest.fixture(scope="session")
def ros2(tmp_path_factory: pytest.TempPathFactory) -> Ros2:
    """The command, in a domain in which nobody else is."""
    folder = tmp_path_factory.mktemp("ros2cli")
    profile = folder / "fast_discovery.xml"
    profile.write_text(FAST_DISCOVERY, encoding="utf-8")
    start = os.getpid() % 100
    domains = [1 + (start + offset) % 100 for offset in range(100)]
    domain = next(domain for domain in domains if count_local_participants(domain) == 0)
    environment = os.environ | {
        "FASTRTPS_DEFAULT_PROFILES_FILE": str(profile),
        "PYTHONPYCACHEPREFIX": str(folder / "pycache"),
        "PYTHONPATH": os.pathsep.join(
            path for path in (str(PACKAGE_ROOT), os.environ.get("PYTHONPATH")) if path
        ),
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
        "ROS_DOMAIN_ID": str(domain),
        "ROS_LOG_DIR": str(folder / "log"),
        "TZ": "UTC",
    }
    return Ros2(environment, folder)


@pytest.fixture(scope="session")
def graph(ros2: Ros2) -> Iterator[Ros2]:
    """The command, with the fixture node running."""
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("graph_node.py"))],
        env=ros2.environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    yield ros2
    process.terminate()
    assert process.wait(timeout=10) == 0
    process.stdout.close()
