"""Commands by line, answers as JSON: for tests, and for whoever wants to touch a simulated arm.

Commands: ``truth``; ``inject FAULT VALUE``; ``hand Q1 … Q6`` moves the joints by hand [rad],
``hand`` lets go; ``place SEED`` puts the cubes to other places.
"""

from __future__ import annotations

import json
import threading
from typing import Any, TextIO

import numpy as np
from planner_core.errors import DriftpilotError
from robot_simulation.errors import SimulationError
from robot_simulation.realtime import RealTimeLoop
from robot_simulation.so100.model import JOINTS
from robot_simulation.so100.simulation import ArmSimulation


class Console:
    """Serves commands in a thread of its own, and ends the simulation with its input.

    Args:
        simulation: The robot.
        loop: What steps it.
        commands: One a line.
        answers: One line of JSON for each.
    """

    def __init__(
        self, simulation: ArmSimulation, loop: RealTimeLoop, commands: TextIO, answers: TextIO
    ) -> None:
        self._simulation = simulation
        self._loop = loop
        self._commands = commands
        self._answers = answers

    def start(self) -> None:
        """Begin to serve."""
        threading.Thread(target=self._serve, name="console", daemon=True).start()

    def _serve(self) -> None:
        for line in self._commands:
            words = line.split()
            if not words:
                continue
            try:
                answer = self._loop.call(lambda words=words: self._do(*words)).result()
            except (DriftpilotError, TypeError, ValueError) as error:
                answer = {"error": str(error)}
            print(json.dumps(answer), file=self._answers, flush=True)
        self._loop.stop()

    def _do(self, verb: str, *arguments: str) -> dict[str, Any]:
        """Run one command, in the simulation's thread.

        Raises:
            SimulationError: There is no such command.
        """
        simulation = self._simulation
        if verb == "truth":
            return self._truth()
        if verb == "inject":
            simulation.inject(arguments[0], float(arguments[1]))
        elif verb == "hand" and len(arguments) in (0, len(JOINTS)):
            simulation.arm.hand = np.array([float(a) for a in arguments]) if arguments else None
        elif verb == "place":
            simulation.place_cubes(int(arguments[0]))
        else:
            raise SimulationError(
                "command", got=repr(" ".join((verb, *arguments))),
                expected="truth, inject FAULT VALUE, hand Q1 … Q6, hand, or place SEED",
            )  # fmt: skip
        return {}

    def _truth(self) -> dict[str, Any]:
        simulation = self._simulation
        arm, servos = simulation.arm, simulation.bus.servos
        return {
            "time_s": arm.time_s,
            "positions": arm.positions.tolist(),
            "velocities": arm.velocities.tolist(),
            "tool": arm.tool.tolist(),
            "cubes": [arm.cube(i).position.tolist() for i in range(arm.cubes)],
            "torque": [servo.torque_enabled for servo in servos],
            "goals": [servo.memory["goal_position"] for servo in servos],
            "status": [int(servo.status) for servo in servos],
        }
