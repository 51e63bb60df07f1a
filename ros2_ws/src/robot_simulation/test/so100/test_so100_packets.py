"""The wire format, against bytes written down by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from robot_simulation.so100.packets import Instruction, Request, RequestReader, encoded

PING_1 = bytes.fromhex("ff ff 01 02 01 fb")
READ_POSITION_1 = bytes.fromhex("ff ff 01 04 02 38 02 be")
WRITE_GOAL_1 = bytes.fromhex("ff ff 01 05 03 2a 00 08 c4")
SYNC_READ = bytes.fromhex("ff ff fe 06 82 38 02 01 02 3c")
SYNC_WRITE = bytes.fromhex("ff ff fe 0a 83 2a 02 01 00 08 02 ff 07 37")


@pytest.mark.parametrize(
    ("data", "request_"),
    [
        (PING_1, Request(1, Instruction.PING, b"")),
        (READ_POSITION_1, Request(1, Instruction.READ, bytes((56, 2)))),
        (WRITE_GOAL_1, Request(1, Instruction.WRITE, bytes((42, 0x00, 0x08)))),
        (SYNC_READ, Request(0xFE, Instruction.SYNC_READ, bytes((56, 2, 1, 2)))),
        (
            SYNC_WRITE,
            Request(0xFE, Instruction.SYNC_WRITE, bytes((42, 2, 1, 0x00, 0x08, 2, 0xFF, 0x07))),
        ),
    ],
)
def test_golden_bytes(data: bytes, request_: Request) -> None:
    assert list(RequestReader().feed(data)) == [request_]
    assert encoded(request_.id, request_.instruction, request_.parameters) == data


def test_status_bytes() -> None:
    assert encoded(1, 0) == bytes.fromhex("ff ff 01 02 00 fc")
    assert encoded(6, 0x20, bytes((0x18, 0x05))) == bytes.fromhex("ff ff 06 04 20 18 05 b8")


def test_a_wrong_checksum_is_dropped_and_counted() -> None:
    reader = RequestReader()
    damaged = PING_1[:-1] + b"\x00"
    assert list(reader.feed(damaged + READ_POSITION_1)) == [
        Request(1, Instruction.READ, bytes((56, 2)))
    ]
    assert reader.rejected == 1


@given(st.lists(st.integers(1, 30), max_size=20), st.binary(max_size=10))
def test_packets_survive_noise_before_them_and_any_cuts(cuts: list[int], noise: bytes) -> None:
    # Noise that looks like the head of a long packet would rightly wait for the rest of it.
    noise = noise.replace(b"\xff", b"\x00")
    stream = noise + PING_1 + SYNC_READ + WRITE_GOAL_1
    reader, found = RequestReader(), []
    for cut in [*cuts, len(stream)]:
        found += reader.feed(stream[:cut])
        stream = stream[cut:]
    assert [r.instruction for r in found] == [1, 0x82, 3]
