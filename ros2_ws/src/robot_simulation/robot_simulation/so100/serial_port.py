"""The serial line as a pseudo-terminal, with everything that can go wrong on the way."""

from __future__ import annotations

import contextlib
import os
import random
import select
import time
import tty
from collections import deque
from pathlib import Path
from typing import Final

from robot_simulation.errors import SimulationError
from robot_simulation.so100.packets import Instruction, Request, RequestReader
from robot_simulation.so100.simulation import ArmSimulation

_READ_SIZE: Final = 4096


class SerialPort:
    """Carries bytes between a pseudo-terminal and a simulated bus.

    All methods belong to the thread that steps the simulation.

    Args:
        simulation: The robot.
        link: Symbolic link to the terminal, replaced if it is one; empty for none.

    Raises:
        SimulationError: There is something else at the place of the link.
    """

    def __init__(self, simulation: ArmSimulation, link: str = "") -> None:
        self._simulation = simulation
        self._link = Path(link) if link else None
        self._dice = random.Random(simulation.settings.seed)
        self._in_flight: deque[tuple[float, bytes]] = deque()
        self._reader = RequestReader()
        self._master: int | None = None
        self._slave: int | None = None
        self._name = ""
        self._plug()

    @property
    def address(self) -> str:
        """Path to open; where there is no link, it changes when the port is plugged in again."""
        return str(self._link) if self._link else self._name

    def close(self) -> None:
        """Take the port away."""
        self._unplug()

    def wait(self, timeout_s: float) -> None:
        """Sleep until bytes arrive, which are answered, or time is up."""
        timeout_s = max(0.0, timeout_s)
        if self._in_flight:
            timeout_s = min(timeout_s, max(0.0, self._in_flight[0][0] - time.monotonic()))
        ports = [] if self._master is None else [self._master]
        select.select(ports, [], [], timeout_s)
        self.serve()

    def serve(self) -> None:
        """Hand requests to the bus, and send the answers that are due."""
        faults = self._simulation.faults
        if faults.unplug > 0:
            self._unplug()
            return
        if self._master is None:
            self._plug()
        assert self._master is not None
        with contextlib.suppress(BlockingIOError):
            for request in self._reader.feed(os.read(self._master, _READ_SIZE)):
                if self._loses(request):
                    continue
                for answer in self._simulation.bus.answers(request):
                    self._answer(answer)
        now = time.monotonic()
        while self._in_flight and self._in_flight[0][0] <= now:
            # Nobody reads: the bytes are lost, as on a wire.
            with contextlib.suppress(BlockingIOError):
                os.write(self._master, self._in_flight.popleft()[1])

    def _loses(self, request: Request) -> bool:
        written = request.instruction == Instruction.SYNC_WRITE
        return written and self._dice.random() < self._simulation.faults.write_loss

    def _answer(self, packet: bytes) -> None:
        faults, dice = self._simulation.faults, self._dice
        if faults.silence > 0 or packet[2] == int(faults.missing_servo):
            return
        if dice.random() < faults.status_loss:
            return
        if dice.random() < faults.corruption:
            bit = dice.randrange(8 * len(packet))
            damaged = bytearray(packet)
            damaged[bit // 8] ^= 1 << bit % 8
            packet = bytes(damaged)
        self._in_flight.append((time.monotonic() + faults.latency_s, packet))

    def _plug(self) -> None:
        # The terminal's own end is kept open: else each client that leaves would end the line.
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._name = os.ttyname(self._slave)
        if self._link is None:
            return
        if self._link.exists() and not self._link.is_symlink():
            raise SimulationError(
                f"no place for the serial port {self._link}", got="another file",
                expected="nothing, or a symbolic link",
            )  # fmt: skip
        try:
            self._link.unlink(missing_ok=True)
            self._link.symlink_to(self._name)
        except OSError as error:
            raise SimulationError(f"cannot make the serial port {self._link}", got=error) from error

    def _unplug(self) -> None:
        if self._master is None or self._slave is None:
            return
        if self._link is not None:
            self._link.unlink(missing_ok=True)
        os.close(self._slave)
        os.close(self._master)
        self._master = self._slave = None
        self._in_flight.clear()
        self._reader = RequestReader()
