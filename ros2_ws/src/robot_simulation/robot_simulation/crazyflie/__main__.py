"""``python -m robot_simulation.crazyflie``: a Crazyflie to fly with any client, without ROS."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence

from planner_core.clock import SystemClock
from planner_core.errors import DriftpilotError
from planner_core.world import World, load_world, random_world
from robot_simulation.crazyflie.airframe import Airframe
from robot_simulation.crazyflie.dynamics import Collision
from robot_simulation.crazyflie.server import DEFAULT_PORT, RadioServer
from robot_simulation.crazyflie.simulation import (
    CrazyflieSimulation,
    Positioning,
    SimulationSettings,
)
from robot_simulation.realtime import RealTimeLoop


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m robot_simulation.crazyflie", description=__doc__
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--world", metavar="FILE", help="world file to fly in")
    where.add_argument("--random-world", metavar="SEED", type=int, help="random world to fly in")
    parser.add_argument(
        "--density", type=float, default=0.0, help="obstacles per square metre of a random world"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="UDP port to listen on")
    parser.add_argument("--speed", type=float, default=1.0, help="simulated seconds per second")
    parser.add_argument("--seed", type=int, default=0, help="seed of noise and losses")
    parser.add_argument(
        "--positioning",
        choices=[p.value for p in Positioning],
        default=Positioning.DECK.value,
        help="deck: the vehicle knows where it is; external: the client has to send poses",
    )
    parser.add_argument(
        "--packet-loss", type=float, default=0.0, help="probability that a packet is lost"
    )
    parser.add_argument("--brushless", action="store_true", help="wait for an arming request")
    return parser


def _world(arguments: argparse.Namespace) -> World:
    if arguments.world is not None:
        return load_world(arguments.world)
    return random_world(arguments.random_world or 0, density_per_m2=arguments.density)


def _report(collision: Collision) -> None:
    x, y, z = collision.position_m
    print(
        f"crashed into {collision.surface} at {collision.speed_m_s:.2f} m/s, "
        f"t = {collision.time_s:.2f} s, x = {x:.2f} m, y = {y:.2f} m, z = {z:.2f} m",
        flush=True,
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run until SIGINT or SIGTERM.

    Returns:
        The exit code: 0 after a signal, 1 after an error, which is printed in one line.
    """
    arguments = _parser().parse_args(argv)
    try:
        if arguments.seed < 0:
            raise DriftpilotError("seed", got=arguments.seed, expected="0 or more")
        simulation = CrazyflieSimulation(
            _world(arguments),
            SimulationSettings(
                airframe=Airframe(brushless=arguments.brushless),
                positioning=Positioning(arguments.positioning),
                seed=arguments.seed,
            ),
        )
        simulation.inject("packet_loss", arguments.packet_loss)
        server = RadioServer(simulation, arguments.host, arguments.port)
        loop = RealTimeLoop(simulation, server, SystemClock(), arguments.speed)
    except DriftpilotError as error:
        print(error, file=sys.stderr)
        return 1
    simulation.on_collision = _report
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: loop.stop())
    host, port = server.address
    print(f"{simulation.world.name}: waiting for a client on udp://{host}:{port}", flush=True)
    loop.run()
    server.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
