"""The parameter port: named values that a client reads and writes."""

from __future__ import annotations

import errno
import math
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from robot_simulation.crazyflie.crtp import Packet, Port
from robot_simulation.crazyflie.toc import TableOfContents

READ_ONLY: Final = 0x40
EXTENDED: Final = 0x10


class ParamType(IntEnum):
    """Number formats of the parameter port."""

    I8 = 0
    I16 = 1
    I32 = 2
    FLOAT = 6
    U8 = 8
    U16 = 9
    U32 = 10


_LAYOUTS: Final = {
    ParamType.I8: struct.Struct("<b"), ParamType.I16: struct.Struct("<h"),
    ParamType.I32: struct.Struct("<i"), ParamType.FLOAT: struct.Struct("<f"),
    ParamType.U8: struct.Struct("<B"), ParamType.U16: struct.Struct("<H"),
    ParamType.U32: struct.Struct("<I"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value that a client can read and, unless ``write`` is None, set.

    Attributes:
        name: ``group.name``.
        type: Format on the wire.
        read: Gives the present value.
        write: Takes a new value.
        extended: Whether the table announces that it could be stored (it is not).
    """

    name: str
    type: ParamType
    read: Callable[[], float]
    write: Callable[[float], None] | None = None
    extended: bool = False

    @classmethod
    def bound(cls, name: str, kind: ParamType, owner: object, attribute: str) -> Parameter:
        """A parameter that is an attribute of an object."""
        as_type = type(getattr(owner, attribute))
        return cls(
            name,
            kind,
            lambda: getattr(owner, attribute),
            lambda value: setattr(owner, attribute, as_type(value)),
        )

    @classmethod
    def constant(cls, name: str, kind: ParamType, value: float) -> Parameter:
        """A read-only parameter."""
        return cls(name, kind, lambda: value)

    @property
    def toc_type(self) -> int:
        """Type and access byte of the table of contents."""
        access = READ_ONLY if self.write is None else 0
        return int(self.type) | access | (EXTENDED if self.extended else 0)

    def packed(self) -> bytes:
        """The present value on the wire."""
        value = self.read()
        layout = _LAYOUTS[self.type]
        return layout.pack(value if self.type is ParamType.FLOAT else int(value))


class ParamService:
    """Serves the parameter port.

    Args:
        parameters: What exists; the order gives the identifiers.
    """

    TOC, READ, WRITE, MISC = 0, 1, 2, 3
    SET_BY_NAME, GET_EXTENDED_TYPE, GET_DEFAULT = 0, 7, 8

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        self.toc = TableOfContents(parameters)
        self._parameters = parameters
        self._by_name = {parameter.name: parameter for parameter in parameters}
        self._defaults = [parameter.packed() for parameter in parameters]

    def receive(self, packet: Packet) -> Packet | None:
        """Answer a request; None for what the firmware ignores."""
        serve = (self.toc.answer, self._read, self._write, self._misc)[packet.channel]
        reply = serve(packet.data)
        return None if reply is None else Packet(Port.PARAM, packet.channel, reply)

    def _parameter(self, identifier: bytes) -> Parameter | None:
        index = int.from_bytes(identifier, "little")
        known = len(identifier) == 2 and index < len(self._parameters)
        return self._parameters[index] if known else None

    def _read(self, data: bytes) -> bytes:
        parameter = self._parameter(data[:2])
        if parameter is None:
            return data[:2] + bytes((errno.ENOENT,))
        return data[:2] + b"\0" + parameter.packed()

    def _write(self, data: bytes) -> bytes | None:
        parameter = self._parameter(data[:2])
        if parameter is None:
            return data[:2] + bytes((errno.ENOENT,))
        if not self._assign(parameter, data[2:]):
            return None
        return data[:2] + parameter.packed()

    @staticmethod
    def _assign(parameter: Parameter, value: bytes) -> bool:
        layout = _LAYOUTS[parameter.type]
        if parameter.write is None or len(value) != layout.size:
            return False
        number = layout.unpack(value)[0]
        # No controller survives a gain that is not a number; the reply shows the old value.
        if math.isfinite(number):
            parameter.write(number)
        return True

    def _misc(self, data: bytes) -> bytes | None:
        command, identifier = data[:1], data[1:3]
        if command == bytes((self.SET_BY_NAME,)):
            return self._set_by_name(data[1:])
        if command not in (bytes((self.GET_EXTENDED_TYPE,)), bytes((self.GET_DEFAULT,))):
            return None
        parameter = self._parameter(identifier)
        if parameter is None:
            return command + identifier + bytes((errno.ENOENT,))
        if command == bytes((self.GET_DEFAULT,)):
            default = self._defaults[int.from_bytes(identifier, "little")]
            return command + identifier + b"\0" + default
        return command + identifier + b"\0" + bytes((int(parameter.extended),))

    def _set_by_name(self, data: bytes) -> bytes | None:
        group, name, rest = (*data.split(b"\0", 2), b"", b"", b"")[:3]
        parameter = self._by_name.get(f"{group.decode('latin-1')}.{name.decode('latin-1')}")
        head = bytes((self.SET_BY_NAME,)) + group + b"\0" + name + b"\0"
        if parameter is None:
            status = errno.ENOENT
        elif rest[:1] != bytes((int(parameter.type),)) or not self._assign(parameter, rest[1:]):
            status = errno.EINVAL
        else:
            status = 0
        return head + bytes((status,))
