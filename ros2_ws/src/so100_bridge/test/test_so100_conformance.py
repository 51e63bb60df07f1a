"""The arm's bridge does what every bridge has to."""

from __future__ import annotations

import pytest
from robot_bridge.conformance import BridgeConformance
from robot_simulation.so100.process import arm_process
from so100_harness import operator

pytest.importorskip("lerobot")


def test_the_bridge_conforms() -> None:
    with arm_process() as arm, operator(arm.port) as running:
        BridgeConformance(running, running.robot, lambda: running.position).run()
