"""Tables of contents: how a client learns which variables exist.

Clients cache a table under its checksum, so the checksum covers every byte that they would
download.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import Final, Protocol

from robot_simulation.crazyflie.crtp import MAX_DATA

GET_ITEM: Final = 2
GET_INFO: Final = 3
_ITEM_HEADER: Final = 4
_MAX_BLOCKS: Final = 16
_MAX_VARIABLES: Final = 128


class Entry(Protocol):
    """A variable that a table lists."""

    @property
    def name(self) -> str:
        """``group.name``."""

    @property
    def toc_type(self) -> int:
        """Type and access byte of the table."""


class TableOfContents:
    """Answers a client's questions about a list of variables.

    Args:
        entries: The variables; their index is their identifier on the wire.

    Raises:
        ValueError: A name is not ``group.name``, is listed twice, or does not fit in a packet.
    """

    def __init__(self, entries: Sequence[Entry]) -> None:
        names = [entry.name for entry in entries]
        if len(set(names)) != len(names):
            raise ValueError(f"names are listed twice: {sorted(set(names))}")
        self._items = [self._item(entry) for entry in entries]
        self.checksum = zlib.crc32(b"".join(self._items))

    @staticmethod
    def _item(entry: Entry) -> bytes:
        group, dot, name = entry.name.partition(".")
        item = bytes((entry.toc_type,)) + f"{group}\0{name}\0".encode("ascii")
        if not dot or len(item) + _ITEM_HEADER - 1 > MAX_DATA:
            raise ValueError(f"name {entry.name!r}: expected group.name that fits in a packet")
        return item

    def answer(self, request: bytes) -> bytes | None:
        """The reply to a request on the table's channel; None for what the firmware ignores."""
        if request[:1] == bytes((GET_INFO,)):
            return struct.pack(
                "<BHIBB", GET_INFO, len(self._items), self.checksum, _MAX_BLOCKS, _MAX_VARIABLES
            )
        if request[:1] == bytes((GET_ITEM,)) and len(request) == 3:
            index = int.from_bytes(request[1:3], "little")
            item = self._items[index] if index < len(self._items) else b""
            return request + item
        return None
