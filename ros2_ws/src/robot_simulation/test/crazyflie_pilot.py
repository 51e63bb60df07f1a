"""The client's side of the protocol, for tests that fly without a socket and without a clock."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable

import numpy as np
from planner_core.world import World, world_from_dict
from robot_simulation.crazyflie.crtp import Packet, Port
from robot_simulation.crazyflie.rotation import from_euler
from robot_simulation.crazyflie.setpoint_packets import compressed_quaternion
from robot_simulation.crazyflie.simulation import (
    CrazyflieSimulation,
    Positioning,
    SimulationSettings,
)
from robot_simulation.crazyflie.supervisor import FlightState, SupervisorInfo


def room(**changes: object) -> World:
    """A room of 8 x 6 x 2.5 m, empty by default, with the start at the origin."""
    pose = {"x_m": 0.0, "y_m": 0.0, "z_m": 1.0, "yaw_rad": 0.0}
    data = {
        "name": "test room",
        "room": {"lower_m": [-4, -3, 0], "upper_m": [4, 3, 2.5]},
        "start": pose,
        "goal": {**pose, "x_m": 3.0},
        **changes,
    }
    return world_from_dict(data, source="test")


def cylinder(x: float, y: float, radius: float = 0.2) -> dict[str, float]:
    """A cylinder from floor to ceiling, as in a world file."""
    return {"x_m": x, "y_m": y, "radius_m": radius, "bottom_m": 0.0, "top_m": 2.5}


class Pilot:
    """Flies a simulated vehicle through its packets alone."""

    def __init__(self, simulation: CrazyflieSimulation) -> None:
        self.simulation = simulation

    @classmethod
    def in_room(cls, world: World | None = None, **settings: object) -> Pilot:
        """A pilot of a new vehicle that has had time to arm and to find its position."""
        pilot = cls(CrazyflieSimulation(world or room(), SimulationSettings(**settings)))
        pilot.simulation.run(0.5)
        return pilot

    @property
    def state(self) -> FlightState:
        return self.simulation.firmware.supervisor.state

    @property
    def info(self) -> SupervisorInfo:
        return self.simulation.firmware.info

    @property
    def position(self) -> np.ndarray:
        return np.array(self.simulation.dynamics.body.position)

    @property
    def velocity(self) -> np.ndarray:
        return np.array(self.simulation.dynamics.body.velocity)

    @property
    def tilt_rad(self) -> float:
        w, x, y, z = self.simulation.dynamics.body.attitude
        del w, z
        return math.acos(max(-1.0, 1.0 - 2.0 * (x * x + y * y)))

    def ask(self, port: Port, channel: int, data: bytes) -> bytes | None:
        """Send a packet; the data of the reply, or None."""
        outbox = self.simulation.firmware.outbox
        outbox.clear()
        self.simulation.receive(Packet(port, channel, data))
        reply = next((p for p in outbox if p.port == port and p.channel == channel), None)
        return None if reply is None else reply.data

    def take_off(self, height: float = 1.0, duration: float = 2.0) -> bytes | None:
        return self.ask(
            Port.HIGH_LEVEL_COMMANDER, 0, struct.pack("<BBff?f", 7, 0, height, 0.0, True, duration)
        )

    def land(self, duration: float = 2.0) -> bytes | None:
        return self.ask(
            Port.HIGH_LEVEL_COMMANDER, 0, struct.pack("<BBff?f", 8, 0, 0.0, 0.0, True, duration)
        )

    def go_to(
        self, x: float, y: float, z: float, duration: float, *, relative: bool = False
    ) -> bytes | None:
        return self.ask(
            Port.HIGH_LEVEL_COMMANDER,
            0,
            struct.pack("<BBBBfffff", 12, 0, relative, False, x, y, z, 0.0, duration),
        )

    def generic(self, kind: int, *values: float) -> None:
        self.ask(Port.GENERIC_COMMANDER, 0, struct.pack(f"<B{len(values)}f", kind, *values))

    def position_setpoint(self, x: float, y: float, z: float) -> None:
        self.generic(7, x, y, z, 0.0)

    def velocity_setpoint(self, vx: float, vy: float, vz: float, yaw_rate: float = 0.0) -> None:
        self.generic(8, vx, vy, vz, yaw_rate)

    def hover_setpoint(self, vx: float, vy: float, yaw_rate: float, z: float) -> None:
        self.generic(10, vx, vy, yaw_rate, z)

    def full_state_setpoint(self, position, velocity, acceleration, yaw: float = 0.0) -> None:
        milli = [int(1000 * value) for value in (*position, *velocity, *acceleration)]
        quaternion = compressed_quaternion(from_euler(0.0, 0.0, yaw))
        data = struct.pack("<B9hI3h", 6, *milli, quaternion, 0, 0, 0)
        self.ask(Port.GENERIC_COMMANDER, 0, data)

    def notify_stop(self) -> None:
        self.ask(Port.GENERIC_COMMANDER, 1, struct.pack("<BI", 0, 0))

    def arm(self, arm: bool = True) -> bytes | None:
        return self.ask(Port.SUPERVISOR, 1, bytes((1, arm)))

    def recover(self) -> bytes | None:
        return self.ask(Port.SUPERVISOR, 1, b"\x02")

    def emergency_stop(self) -> None:
        self.ask(Port.SUPERVISOR, 1, b"\x03")

    def feed_watchdog(self) -> None:
        self.ask(Port.SUPERVISOR, 1, b"\x04")

    def hover(self, height: float = 1.0) -> None:
        """Take off and wait until the vehicle stands in the air."""
        self.take_off(height)
        self.simulation.run(4.0)

    def repeat(self, send: Callable[[], None], duration_s: float, period_s: float = 0.02) -> None:
        """Send a setpoint periodically."""
        for _ in range(round(duration_s / period_s)):
            send()
            self.simulation.run(period_s)

    def run_until(self, condition: Callable[[], bool], limit_s: float) -> float:
        """Run until a condition holds; the time that it took.

        Raises:
            AssertionError: It does not hold within the limit.
        """
        start = self.simulation.time_s
        while not condition():
            assert self.simulation.time_s - start < limit_s, "the condition never held"
            self.simulation.run(0.01)
        return self.simulation.time_s - start


__all__ = ["Pilot", "Positioning", "cylinder", "room"]
