"""The serialised requests and responses are those that the robot expects and sends."""

import struct

from rclpy.serialization import deserialize_message, serialize_message
from unitree_api.msg import Request, Response

ENCAPSULATION = b"\x00\x01\x00\x00"  # CDR, little-endian

# rclpy leaves padding bytes and the end of the buffer uninitialised: compare values, not bytes.
REQUEST = struct.Struct("<qqqi?3xI8sI2B")
RESPONSE = struct.Struct("<qqiI3sxI2b")


def test_request_is_sent_as_the_robot_reads_it() -> None:
    request = Request(parameter='{"x":1}', binary=[1, 255])
    request.header.identity.id = -2
    request.header.identity.api_id = 1008
    request.header.lease.id = 3
    request.header.policy.priority = -4
    request.header.policy.noreply = True
    values = REQUEST.unpack_from(serialize_message(request), len(ENCAPSULATION))
    assert values == (-2, 1008, 3, -4, True, 8, b'{"x":1}\x00', 2, 1, 255)


def test_response_is_read_as_the_robot_sends_it() -> None:
    data = RESPONSE.pack(7, 1001, -3104, 3, b"ok\x00", 2, -1, 1)
    response = deserialize_message(ENCAPSULATION + data, Response)
    assert (response.header.identity.id, response.header.identity.api_id) == (7, 1001)
    assert response.header.status.code == -3104
    assert response.data == "ok"
    assert list(response.binary) == [-1, 1]
