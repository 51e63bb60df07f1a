"""``python -m robot_simulation.so100``: an arm to move with any client, without ROS."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence

from planner_core.clock import SystemClock
from planner_core.errors import DriftpilotError
from robot_simulation.realtime import RealTimeLoop
from robot_simulation.so100.console import Console
from robot_simulation.so100.serial_port import SerialPort
from robot_simulation.so100.simulation import ArmSimulation, SimulationSettings


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m robot_simulation.so100", description=__doc__)
    parser.add_argument("--link", default="", help="symbolic link to the serial port")
    parser.add_argument("--cubes", type=int, default=2, help="cubes on the table")
    parser.add_argument("--seed", type=int, default=0, help="seed of placements and losses")
    parser.add_argument("--speed", type=float, default=1.0, help="simulated seconds per second")
    parser.add_argument(
        "--factory", action="store_true", help="servos as from the factory, not calibrated"
    )
    parser.add_argument(
        "--console", action="store_true", help="take commands from the standard input"
    )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run until SIGINT or SIGTERM.

    Returns:
        The exit code: 0 after a signal, 1 after an error, which is printed in one line.
    """
    arguments = _parser().parse_args(argv)
    try:
        if arguments.seed < 0:
            raise DriftpilotError("seed", got=arguments.seed, expected="0 or more")
        simulation = ArmSimulation(
            SimulationSettings(
                cubes=arguments.cubes, calibrated=not arguments.factory, seed=arguments.seed
            )
        )
        port = SerialPort(simulation, arguments.link)
        loop = RealTimeLoop(simulation, port, SystemClock(), arguments.speed)
    except DriftpilotError as error:
        print(error, file=sys.stderr)
        return 1
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: loop.stop())
    print(f"waiting for a client on {port.address}", flush=True)
    if arguments.console:
        Console(simulation, loop, sys.stdin, sys.stdout).start()
    loop.run()
    port.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
