"""The Go2's bridge does what every bridge has to."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("cyclonedds")

from go2_harness import bridge, go2, operator
from robot_bridge.conformance import BridgeConformance


@pytest.mark.slow
def test_the_bridge_conforms() -> None:
    with go2() as robot, bridge(), operator() as running:
        running.listen()
        BridgeConformance(
            running, running.robot, lambda: np.array(running.joints[-1].position)
        ).run()
        assert robot.truth.traffic["conflicts"] == robot.truth.traffic["bad_crc"] == 0
