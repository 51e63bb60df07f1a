"""The radio protocol: packets, ports and channels.

One datagram is one packet: a header byte ``port << 4 | 0x0C | channel`` and up to 30 data bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

MAX_DATA: Final = 30
NULL_HEADER: Final = 0xFF
"""A probe or keep-alive; it carries nothing and only asks for an answer."""
_RESERVED_BITS: Final = 0x0C


class Port(IntEnum):
    """Ports that the vehicle serves."""

    CONSOLE = 0
    PARAM = 2
    COMMANDER = 3
    MEMORY = 4
    LOG = 5
    LOCALIZATION = 6
    GENERIC_COMMANDER = 7
    HIGH_LEVEL_COMMANDER = 8
    SUPERVISOR = 9
    PLATFORM = 13
    LINK = 15


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet in either direction.

    Attributes:
        port: 0 to 15.
        channel: 0 to 3.
        data: At most 30 bytes.
    """

    port: int
    channel: int
    data: bytes = b""

    def encoded(self) -> bytes:
        """The datagram.

        Raises:
            ValueError: The data is longer than a packet can carry.
        """
        if len(self.data) > MAX_DATA:
            raise ValueError(f"got {len(self.data)} data bytes, expected at most {MAX_DATA}")
        return bytes((self.port << 4 | _RESERVED_BITS | self.channel,)) + self.data

    @classmethod
    def decoded(cls, datagram: bytes) -> Packet:
        """Parse a datagram.

        Raises:
            ValueError: It is empty or longer than a packet.
        """
        if not 1 <= len(datagram) <= MAX_DATA + 1:
            raise ValueError(f"got {len(datagram)} bytes, expected 1 to {MAX_DATA + 1}")
        return cls(datagram[0] >> 4, datagram[0] & 0x03, datagram[1:])
