"""The radio as a UDP socket: one datagram is one packet.

A probe from anywhere is answered, so that a scan finds the vehicle. Whoever starts a handshake
becomes the client and gets everything that the vehicle sends; strangers' packets are dropped.
"""

from __future__ import annotations

import errno
import random
import select
import socket
from collections import deque
from typing import Final

from robot_simulation.crazyflie.crtp import NULL_HEADER, Packet, Port
from robot_simulation.crazyflie.simulation import CrazyflieSimulation
from robot_simulation.errors import PortInUseError, SimulationError

DEFAULT_PORT: Final = 19850
"""First of the ten ports that clients scan."""
_MAX_DATAGRAM: Final = 2048
_MAX_PER_POLL: Final = 256
"""Packets served at once; a flood must not stop the physics."""

Address = tuple[str, int]


class RadioServer:
    """Carries packets between a socket and a simulated vehicle.

    All methods belong to the thread that steps the simulation.

    Args:
        simulation: The vehicle.
        host: Address to listen on.
        port: UDP port; 0 lets the system choose.

    Raises:
        PortInUseError: Another process listens there.
        SimulationError: The address cannot be used.
    """

    def __init__(
        self,
        simulation: CrazyflieSimulation,
        host: str = "127.0.0.1",
        port: int = DEFAULT_PORT,
    ) -> None:
        self._simulation = simulation
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.bind((host, port))
        except (OSError, OverflowError) as error:
            self._socket.close()
            if getattr(error, "errno", None) == errno.EADDRINUSE:
                raise PortInUseError(
                    f"UDP port {port} on {host} is in use",
                    remedy="Stop the other simulation or choose another port.",
                ) from error
            raise SimulationError(f"cannot listen on {host}:{port}", got=error) from error
        self._socket.setblocking(False)
        self._client: Address | None = None
        self._dice = random.Random(simulation.settings.seed)
        self._in_flight: deque[tuple[float, bytes]] = deque()

    @property
    def address(self) -> Address:
        """Host and port on which it listens."""
        host, port = self._socket.getsockname()
        return host, port

    def close(self) -> None:
        """Close the socket; a client sees the connection lost."""
        self._socket.close()

    def wait(self, timeout_s: float) -> None:
        """Sleep until a packet arrives, which is answered, or time is up."""
        select.select([self._socket], [], [], max(0.0, timeout_s))
        self.serve()

    def serve(self) -> None:
        """Hand arrived packets to the vehicle and send what it has to say."""
        for _ in range(_MAX_PER_POLL):
            try:
                datagram, sender = self._socket.recvfrom(_MAX_DATAGRAM)
            except BlockingIOError:
                break
            self._receive(datagram, sender)
        self._send()

    def _receive(self, datagram: bytes, sender: Address) -> None:
        simulation = self._simulation
        if simulation.booting or self._lost():
            return
        if datagram[:1] == bytes((NULL_HEADER,)):
            self._socket.sendto(datagram[:1], sender)
            return
        try:
            packet = Packet.decoded(datagram)
        except ValueError:
            return  # Noise on the air.
        if packet.port == Port.LINK and packet.channel == 1:
            self._client = sender
        if sender == self._client:
            simulation.receive(packet)

    def _send(self) -> None:
        simulation = self._simulation
        outbox = simulation.firmware.outbox
        now, due = simulation.time_s, simulation.time_s + simulation.faults.link_latency_s
        while outbox:
            packet = outbox.popleft()
            if self._client is not None and not self._lost():
                self._in_flight.append((due, packet.encoded()))
        while self._in_flight and self._client is not None:
            # A new flight sets the simulated time back; what was under way then arrives at once.
            if now < self._in_flight[0][0] <= due:
                break
            self._socket.sendto(self._in_flight.popleft()[1], self._client)

    def _lost(self) -> bool:
        faults = self._simulation.faults
        return faults.silence > 0 or self._dice.random() < faults.packet_loss
