"""A simulated Go2 on a DDS domain, in a process of its own, that obeys lines on its input.

``inject FAULT VALUE`` breaks something; ``select MODE`` has somebody else select a mode;
``overturn`` puts the robot on its side, ``reset`` back to the start; ``truth`` does nothing. Each
is answered by one line of JSON with what really happens. The end of the input ends the process.
"""

from __future__ import annotations

import json
import sys
import threading
from dataclasses import asdict

import numpy as np
from planner_core.clock import SystemClock
from robot_simulation.go2.server import Go2Server
from robot_simulation.go2.simulation import TICK_S, Go2Simulation
from robot_simulation.realtime import RealTimeLoop


def truth(simulation: Go2Simulation) -> dict[str, object]:
    """What no client can know."""
    dynamics = simulation.dynamics
    return {
        "position": dynamics.body().position.tolist(),
        "velocity": dynamics.body().velocity.tolist(),
        "rpy": dynamics.body().rpy.tolist(),
        "q": dynamics.q.tolist(),
        "torque": float(np.abs(dynamics.torque).max()),
        "mode": simulation.switcher.mode,
        "sport": simulation.sport.mode.name,
        "commanded": simulation.low_level.commanded,
        "stiffness": simulation.low_level.stiffness,
        "conflict": simulation.low_level.conflict,
        "traffic": asdict(simulation.low_level.traffic),
    }


def main() -> None:
    """Run until the input ends."""
    simulation = Go2Simulation()
    server = Go2Server(simulation, int(sys.argv[1]))
    loop = RealTimeLoop(simulation, server, SystemClock(), chunk_s=TICK_S)
    thread = threading.Thread(target=loop.run)
    thread.start()
    print("{}", flush=True)

    def obey(words: list[str]) -> dict[str, object]:
        if words[0] == "inject":
            simulation.inject(words[1], float(words[2]))
        elif words[0] == "select":
            simulation.call("motion_switcher", 1002, json.dumps({"name": words[1]}))
        elif words[0] == "overturn":
            simulation.dynamics.overturn()
        elif words[0] == "reset":
            simulation.reset()
        return truth(simulation)

    for line in sys.stdin:
        print(json.dumps(loop.call(lambda line=line: obey(line.split())).result()), flush=True)
    loop.stop()
    thread.join()


if __name__ == "__main__":
    main()
