"""The wire format of the servo bus.

A packet is ``FF FF id length instruction parameters checksum``, where length counts what follows it
and the checksum is the inverted sum of everything between header and checksum. A servo answers in
the same form, with its status bits in place of the instruction.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

HEADER: Final = b"\xff\xff"
BROADCAST: Final = 0xFE
_MAX_LENGTH: Final = 250


class Instruction(IntEnum):
    """What a master may ask."""

    PING = 1
    READ = 2
    WRITE = 3
    REG_WRITE = 4
    ACTION = 5
    SYNC_READ = 0x82
    SYNC_WRITE = 0x83


@dataclass(frozen=True, slots=True)
class Request:
    """A packet from the master.

    Attributes:
        id: Of the servo, or `BROADCAST`.
        instruction: A number of `Instruction`, or one that no servo knows.
        parameters: The rest.
    """

    id: int
    instruction: int
    parameters: bytes


def checksum(body: bytes) -> int:
    """The last byte of a packet, from the bytes between header and it."""
    return ~sum(body) & 0xFF


def encoded(id_: int, code: int, parameters: bytes = b"") -> bytes:
    """A packet: of the master with an instruction, of a servo with its status bits as code."""
    body = bytes((id_, len(parameters) + 2, code)) + parameters
    return HEADER + body + bytes((checksum(body),))


class RequestReader:
    """Finds packets in a stream of bytes that may be cut, joined or damaged.

    Attributes:
        rejected: Packets with a wrong checksum so far.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.rejected = 0

    def feed(self, data: bytes) -> Iterator[Request]:
        """Add bytes and give the packets that they complete."""
        self._buffer += data
        while (start := self._buffer.find(HEADER)) >= 0:
            del self._buffer[:start]
            # A third FF is noise before the header: no servo has that number.
            if len(self._buffer) >= 3 and self._buffer[2] == 0xFF:
                del self._buffer[0]
                continue
            if len(self._buffer) < 4:
                return
            length = self._buffer[3]
            if not 2 <= length <= _MAX_LENGTH:
                del self._buffer[:2]
                continue
            end = 4 + length
            if len(self._buffer) < end:
                return
            body, check = bytes(self._buffer[2 : end - 1]), self._buffer[end - 1]
            if checksum(body) != check:
                self.rejected += 1
                del self._buffer[:2]
                continue
            del self._buffer[:end]
            yield Request(body[0], body[2], body[3:])
        # Nothing but noise; the last byte may be the first half of a header.
        del self._buffer[: max(0, len(self._buffer) - 1)]
