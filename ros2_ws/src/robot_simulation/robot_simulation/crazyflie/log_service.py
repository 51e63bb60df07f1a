"""The log port: clients define blocks of variables and receive them periodically."""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from robot_simulation.crazyflie.crtp import Packet, Port
from robot_simulation.crazyflie.toc import TableOfContents

MAX_PAYLOAD: Final = 26
MAX_BLOCKS: Final = 16
MAX_VARIABLES: Final = 128
TICK_S: Final = 0.01
"""Unit of a block's period."""


class LogType(IntEnum):
    """Number formats of the log port."""

    U8 = 1
    U16 = 2
    U32 = 3
    I8 = 4
    I16 = 5
    I32 = 6
    FLOAT = 7
    HALF = 8


_FORMATS: Final = {
    LogType.U8: "B", LogType.U16: "H", LogType.U32: "I", LogType.I8: "b", LogType.I16: "h",
    LogType.I32: "i", LogType.FLOAT: "f", LogType.HALF: "e",
}  # fmt: skip
_REAL: Final = (LogType.FLOAT, LogType.HALF)


@dataclass(frozen=True, slots=True)
class LogVariable:
    """A variable that can be logged.

    Attributes:
        name: ``group.name``.
        type: Format in which it is stored.
        read: Gives its present value.
    """

    name: str
    type: LogType
    read: Callable[[], float]

    @property
    def toc_type(self) -> int:
        """Type byte of the table of contents."""
        return int(self.type)


class _Field:
    """One variable of a block in the format that the client asked for."""

    def __init__(self, variable: LogVariable, fetch_as: LogType) -> None:
        self.code = _FORMATS[fetch_as]
        self.size = struct.calcsize("<" + self.code)
        self._read = variable.read
        self._mask = None if fetch_as in _REAL else (1 << 8 * self.size) - 1
        self._signed = fetch_as in (LogType.I8, LogType.I16, LogType.I32)

    def value(self) -> float:
        """The present value, wrapped into the format as a C cast would."""
        value = self._read()
        if self._mask is None:
            # A half cannot hold more than 65504, and struct raises where C gives infinity.
            return max(-65504.0, min(65504.0, value)) if self.code == "e" else value
        wrapped = int(value) & self._mask
        return wrapped - self._mask - 1 if self._signed and wrapped > self._mask >> 1 else wrapped


@dataclass(slots=True)
class _Block:
    fields: list[_Field]
    layout: struct.Struct
    period_ticks: int = 0
    """0 while the block is stopped."""

    @classmethod
    def of(cls, fields: list[_Field]) -> _Block:
        return cls(fields, struct.Struct("<" + "".join(f.code for f in fields)))


class LogService:
    """Serves the log port.

    Args:
        variables: What can be logged; the order gives the identifiers.
    """

    TOC, SETTINGS, DATA = 0, 1, 2
    DELETE, START, STOP, RESET, CREATE, APPEND = 2, 3, 4, 5, 6, 7

    def __init__(self, variables: Sequence[LogVariable]) -> None:
        self.toc = TableOfContents(variables)
        self._variables = variables
        self._blocks: dict[int, _Block] = {}

    def receive(self, packet: Packet) -> Packet | None:
        """Answer a request; None for what the firmware ignores."""
        if packet.channel == self.TOC:
            reply = self.toc.answer(packet.data)
            return None if reply is None else Packet(Port.LOG, self.TOC, reply)
        if packet.channel == self.SETTINGS and packet.data:
            command, identifier = packet.data[0], packet.data[1] if len(packet.data) > 1 else 0
            status = self._configure(command, identifier, packet.data[2:])
            return Packet(Port.LOG, self.SETTINGS, bytes((command, identifier, status)))
        return None

    def due(self, tick: int) -> Iterator[Packet]:
        """The data of all blocks whose period divides a tick.

        Args:
            tick: Time since boot in units of 10 ms.
        """
        for identifier, block in self._blocks.items():
            if block.period_ticks and tick % block.period_ticks == 0:
                stamp = (tick * 10) & 0xFFFFFF
                values = block.layout.pack(*(field.value() for field in block.fields))
                head = bytes((identifier,)) + stamp.to_bytes(3, "little")
                yield Packet(Port.LOG, self.DATA, head + values)

    def _configure(self, command: int, identifier: int, data: bytes) -> int:
        if command == self.RESET:
            self._blocks.clear()
            return 0
        if command == self.CREATE:
            return self._create(identifier, data)
        if command not in (self.APPEND, self.DELETE, self.START, self.STOP):
            return errno.ENOEXEC
        block = self._blocks.get(identifier)
        if block is None:
            return errno.ENOENT
        if command == self.APPEND:
            return self._extend(identifier, block.fields, data)
        if command == self.DELETE:
            del self._blocks[identifier]
        elif command == self.STOP:
            block.period_ticks = 0
        elif not data or data[0] == 0:
            return errno.ENOEXEC
        else:
            block.period_ticks = data[0]
        return 0

    def _create(self, identifier: int, data: bytes) -> int:
        if identifier in self._blocks:
            return errno.EEXIST
        if len(self._blocks) >= MAX_BLOCKS:
            return errno.ENOMEM
        return self._extend(identifier, [], data)

    def _extend(self, identifier: int, present: list[_Field], data: bytes) -> int:
        fields = list(present)
        if len(data) % 3:
            return errno.ENOEXEC
        for fetch_as, index in struct.iter_unpack("<BH", data):
            # The high nibble repeats the stored type; only the low one says what to send.
            if fetch_as & 0x0F not in _FORMATS or index >= len(self._variables):
                return errno.ENOENT
            fields.append(_Field(self._variables[index], LogType(fetch_as & 0x0F)))
        if sum(field.size for field in fields) > MAX_PAYLOAD:
            return errno.E2BIG
        others = sum(len(b.fields) for key, b in self._blocks.items() if key != identifier)
        if others + len(fields) > MAX_VARIABLES:
            return errno.ENOMEM
        self._blocks[identifier] = _Block.of(fields)
        return 0
