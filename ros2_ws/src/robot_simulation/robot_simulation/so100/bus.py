"""The servo bus: requests in, answers out, each servo on its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from robot_simulation.so100.packets import BROADCAST, Instruction, Request, encoded
from robot_simulation.so100.servo import Servo


class ServoBus:
    """What is connected to one serial line.

    Args:
        servos: In the order in which they answer a synchronous read without a list of their own.
    """

    def __init__(self, servos: Sequence[Servo]) -> None:
        self.servos = tuple(servos)
        self._handlers: dict[int, Callable[[Servo, bytes], bytes | None]] = {
            Instruction.PING: lambda servo, _: b"",
            Instruction.READ: self._read,
            Instruction.WRITE: self._write,
            Instruction.REG_WRITE: self._prepare,
            Instruction.ACTION: self._act,
        }

    def answers(self, request: Request) -> list[bytes]:
        """Serve a request.

        Returns:
            The status packets, one for each servo that answers, in order.
        """
        if request.instruction == Instruction.SYNC_READ:
            return self._sync_read(request.parameters)
        if request.instruction == Instruction.SYNC_WRITE:
            self._sync_write(request.parameters)
            return []
        handler = self._handlers.get(request.instruction)
        if handler is None:
            return []
        answers = []
        for servo in self.servos:
            if request.id not in (servo.id, BROADCAST):
                continue
            # The number may change by the very write that is answered.
            id_ = servo.id
            data = handler(servo, request.parameters)
            # A broadcast is answered only where it is a search.
            answered = request.id != BROADCAST or request.instruction == Instruction.PING
            if data is not None and answered:
                answers.append(encoded(id_, int(servo.status), data))
        return answers

    def _sync_read(self, parameters: bytes) -> list[bytes]:
        if len(parameters) < 3:
            return []
        address, size, *ids = parameters
        by_id = {servo.id: servo for servo in self.servos}
        answers = []
        for id_ in ids:
            # A servo that is not there leaves a gap; the next one answers all the same.
            servo = by_id.get(id_)
            data = None if servo is None else servo.read(address, size)
            if servo is not None and data is not None:
                answers.append(encoded(id_, int(servo.status), data))
        return answers

    def _sync_write(self, parameters: bytes) -> None:
        if len(parameters) < 2:
            return
        address, size = parameters[:2]
        by_id = {servo.id: servo for servo in self.servos}
        for begin in range(2, len(parameters) - size, size + 1):
            servo = by_id.get(parameters[begin])
            if servo is not None:
                servo.write(address, parameters[begin + 1 : begin + 1 + size])

    @staticmethod
    def _read(servo: Servo, parameters: bytes) -> bytes | None:
        return servo.read(parameters[0], parameters[1]) if len(parameters) == 2 else None

    @staticmethod
    def _write(servo: Servo, parameters: bytes) -> bytes | None:
        if len(parameters) < 2 or not servo.write(parameters[0], parameters[1:]):
            return None
        return b""

    @staticmethod
    def _prepare(servo: Servo, parameters: bytes) -> bytes | None:
        if len(parameters) < 2:
            return None
        servo.prepare(parameters[0], parameters[1:])
        return b""

    @staticmethod
    def _act(servo: Servo, _parameters: bytes) -> bytes | None:
        servo.act()
        return b""
