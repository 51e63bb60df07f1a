"""The serialised messages are those that the robot sends and expects.

The robot knows nothing of ROS: a field that moves by a byte turns every command into noise.
Offsets are counted without the 4-byte encapsulation header.
"""

import struct

import pytest
from rclpy.serialization import deserialize_message, serialize_message
from unitree_go.msg import LowCmd, LowState, SportModeState, TimeSpec, WirelessController

ENCAPSULATION_BYTES = 4


def cdr(message: object) -> bytes:
    """Serialise `message` to little-endian CDR without the encapsulation header."""
    return serialize_message(message)[ENCAPSULATION_BYTES:]


@pytest.mark.parametrize(
    ("message_type", "size"),
    [(LowCmd, 808), (LowState, 1176), (SportModeState, 232), (TimeSpec, 8)],
)
def test_size(message_type: type, size: int) -> None:
    assert len(cdr(message_type())) == size


def test_low_cmd_offsets() -> None:
    command = LowCmd(head=[0xFE, 0xEF], level_flag=0xFF, gpio=7, reserve=8, crc=0xDEADBEEF)
    command.motor_cmd[0].mode = 1
    command.motor_cmd[0].q = 0.5
    last = command.motor_cmd[19]
    last.mode, last.kd = 1, 2.5
    last.reserve = [3, 4, 5]
    command.bms_cmd.off = 9
    data = cdr(command)

    assert data[:3] == b"\xfe\xef\xff"
    # The first motor starts at an odd multiple of two: only it has no padding behind its mode.
    assert struct.unpack_from("<Bxf", data, 22) == (1, 0.5)
    assert struct.unpack_from("<B3x4ff3I", data, 704) == (1, 0, 0, 0, 0, 2.5, 3, 4, 5)
    assert data[740] == 9
    assert struct.unpack_from("<BxII", data, 798) == (7, 8, 0xDEADBEEF)


def test_low_state_offsets() -> None:
    state = LowState(tick=123, bit_flag=6, power_v=28.5, crc=0xDEADBEEF)
    state.imu_state.quaternion = [1.0, 0.0, 0.0, 0.0]
    state.imu_state.temperature = -5
    state.motor_state[11].q = -1.5
    state.motor_state[11].lost = 2
    state.bms_state.soc = 80
    state.bms_state.cell_vol[14] = 3700
    state.foot_force = [1, 2, 3, 4]
    data = cdr(state)

    assert struct.unpack_from("<4f", data, 24) == (1.0, 0.0, 0.0, 0.0)
    assert struct.unpack_from("<b", data, 76) == (-5,)
    # The mode of motor 0 follows the temperature without padding, at 77; its q is at 80.
    motor = 80 + 11 * 48
    assert struct.unpack_from("<f24xb3xI", data, motor) == (-1.5, 0, 2)
    assert data[1039] == 80
    assert struct.unpack_from("<H4h", data, 1078) == (3700, 1, 2, 3, 4)
    assert struct.unpack_from("<I40xB", data, 1096) == (123, 6)
    assert struct.unpack_from("<f", data, 1152) == (28.5,)
    assert struct.unpack_from("<I", data, 1172) == (0xDEADBEEF,)
    assert deserialize_message(b"\x00\x01\x00\x00" + data, LowState) == state


def test_wireless_controller_and_stamp_lead_their_messages() -> None:
    data = cdr(WirelessController(lx=1.0, ry=-1.0, keys=3))
    assert struct.unpack_from("<4fH", data) == (1.0, 0.0, 0.0, -1.0, 3)
    state = SportModeState(stamp=TimeSpec(sec=-1, nanosec=2), error_code=3)
    assert cdr(state)[:12] == struct.pack("<iII", -1, 2, 3)
