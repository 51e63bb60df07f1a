"""A simulated vehicle with its radio, in a process of its own, that obeys lines on its input.

``inject FAULT VALUE`` breaks something; ``truth`` prints one line of JSON with what really happens;
``turn_over`` puts the vehicle on its back. The end of the input ends the process.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading

from planner_core.clock import SystemClock
from planner_core.world import random_world
from robot_simulation.crazyflie.airframe import Airframe
from robot_simulation.crazyflie.server import RadioServer
from robot_simulation.crazyflie.simulation import (
    CrazyflieSimulation,
    Positioning,
    SimulationSettings,
)
from robot_simulation.realtime import RealTimeLoop


def truth(simulation: CrazyflieSimulation) -> dict[str, object]:
    """What no client can know."""
    body, firmware = simulation.dynamics.body, simulation.firmware
    collision = simulation.dynamics.collision
    return {
        "position": list(body.position),
        "velocity": list(body.velocity),
        "attitude": list(body.attitude),
        "rates": list(body.rates),
        "state": firmware.supervisor.state.name,
        "motors": max(firmware.thrusts_n),
        "collision": None if collision is None else collision.surface,
        "settings": {
            "controller": firmware.settings.controller_type,
            "initial_x": firmware.settings.estimator.initial_x_m,
        },
    }


def main() -> None:
    """Run until the input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--brushless", action="store_true")
    parser.add_argument("--positioning", default="deck")
    arguments = parser.parse_args()
    simulation = CrazyflieSimulation(
        random_world(1, density_per_m2=0.0),
        SimulationSettings(
            airframe=Airframe(brushless=arguments.brushless),
            positioning=Positioning(arguments.positioning),
        ),
    )
    server = RadioServer(simulation, "127.0.0.1", arguments.port)
    loop = RealTimeLoop(simulation, server, SystemClock())
    thread = threading.Thread(target=loop.run)
    thread.start()
    print(json.dumps({"port": server.address[1]}), flush=True)
    for line in sys.stdin:
        words = line.split()
        if words[0] == "inject":
            fault, value = words[1], float(words[2])
            loop.call(lambda fault=fault, value=value: simulation.inject(fault, value)).result()
            print("{}", flush=True)
        else:
            print(json.dumps(loop.call(lambda: truth(simulation)).result()), flush=True)
    loop.stop()
    thread.join()
    server.close()


if __name__ == "__main__":
    main()
