"""The bytes of the robot, against a C compiler's layout, the IDL's layout and golden checksums."""

from __future__ import annotations

import ctypes
import struct

import numpy as np
import pytest
from robot_simulation.go2 import wire

U8, U16, U32 = ctypes.c_uint8, ctypes.c_uint16, ctypes.c_uint32
I8, I16, I32, F32 = ctypes.c_int8, ctypes.c_int16, ctypes.c_int32, ctypes.c_float
HEAD = [
    ("head", U8 * 2), ("level_flag", U8), ("frame_reserve", U8), ("sn", U32 * 2),
    ("version", U32 * 2), ("bandwidth", U16),
]  # fmt: skip


class MotorCmd(ctypes.Structure):
    _fields_ = (
        ("mode", U8), ("q", F32), ("dq", F32), ("tau", F32), ("kp", F32), ("kd", F32),
        ("reserve", U32 * 3),
    )  # fmt: skip


class LowCmd(ctypes.Structure):
    _fields_ = (
        *HEAD, ("motor_cmd", MotorCmd * 20), ("bms_cmd", U8 * 4), ("wireless_remote", U8 * 40),
        ("led", U8 * 12), ("fan", U8 * 2), ("gpio", U8), ("reserve", U32), ("crc", U32),
    )  # fmt: skip


class ImuState(ctypes.Structure):
    _fields_ = (
        ("quaternion", F32 * 4), ("gyroscope", F32 * 3), ("accelerometer", F32 * 3),
        ("rpy", F32 * 3), ("temperature", I8),
    )  # fmt: skip


class MotorState(ctypes.Structure):
    _fields_ = (
        ("mode", U8), ("q", F32), ("dq", F32), ("ddq", F32), ("tau_est", F32), ("q_raw", F32),
        ("dq_raw", F32), ("ddq_raw", F32), ("temperature", I8), ("lost", U32), ("reserve", U32 * 2),
    )  # fmt: skip


class BmsState(ctypes.Structure):
    _fields_ = (
        ("version_high", U8), ("version_low", U8), ("status", U8), ("soc", U8), ("current", I32),
        ("cycle", U16), ("bq_ntc", I8 * 2), ("mcu_ntc", I8 * 2), ("cell_vol", U16 * 15),
    )  # fmt: skip


class LowState(ctypes.Structure):
    _fields_ = (
        *HEAD, ("imu_state", ImuState), ("motor_state", MotorState * 20), ("bms_state", BmsState),
        ("foot_force", I16 * 4), ("foot_force_est", I16 * 4), ("tick", U32),
        ("wireless_remote", U8 * 40), ("bit_flag", U8), ("adc_reel", F32),
        ("temperature_ntc1", I8), ("temperature_ntc2", I8), ("power_v", F32), ("power_a", F32),
        ("fan_frequency", U16 * 4), ("reserve", U32), ("crc", U32),
    )  # fmt: skip


def crc_bit_by_bit(data: bytes) -> int:
    """As the robot's documentation words it: one bit of one word at a time."""
    crc = 0xFFFFFFFF
    for (word,) in struct.iter_unpack("<I", data):
        for bit in range(31, -1, -1):
            carry = (crc >> 31) ^ (word >> bit & 1)
            crc = (crc << 1) & 0xFFFFFFFF ^ (0x04C11DB7 if carry else 0)
    return crc


def standing_command() -> LowCmd:
    """What the bridge would send: twelve joints held."""
    command = LowCmd()
    command.head[:], command.level_flag = (0xFE, 0xEF), 0xFF
    for index, motor in enumerate(command.motor_cmd):
        motor.mode = 1 if index < 12 else 0
        motor.q, motor.dq = (0.25 * index, -0.5) if index < 12 else (2.146e9, 16000.0)
        motor.kp, motor.kd = (60.0, 5.0) if index < 12 else (0.0, 0.0)
    return command


@pytest.mark.parametrize(
    ("ours", "theirs", "size"), [(wire.LOW_CMD, LowCmd, 812), (wire.LOW_STATE, LowState, 1180)]
)
def test_structs_are_laid_out_as_a_compiler_does(ours: np.dtype, theirs: type, size: int) -> None:
    assert ours.itemsize == ctypes.sizeof(theirs) == size
    for name, _ in theirs._fields_:
        assert ours.fields[name][1] == getattr(theirs, name).offset, name
        assert ours.fields[name][0].itemsize == getattr(theirs, name).size, name


@pytest.mark.parametrize(
    ("data", "golden"),
    [
        (bytes(812), 0x4B5A4880),
        (bytes(1180), 0x85F11EA6),
        (bytes(standing_command()), 0xBD752585),
    ],
    ids=["empty LowCmd", "empty LowState", "standing LowCmd"],
)
def test_golden_checksums(data: bytes, golden: int) -> None:
    assert wire.crc(data) == golden
    assert crc_bit_by_bit(data[:-4]) == golden


def test_checksum_of_random_structs() -> None:
    dice = np.random.default_rng(1)
    for _ in range(20):
        data = dice.bytes(1180)
        assert wire.crc(data) == crc_bit_by_bit(data[:-4])


def filled_state() -> np.ndarray:
    """A LowState in which no two neighbours are equal."""
    state = wire.new_low_state()
    counter = iter(range(1, 10_000))

    def fill(view: np.ndarray) -> None:
        for name in view.dtype.names:
            field = view[name]
            if field.dtype.names:
                fill(field)
            else:
                flat = [next(counter) % 100 for _ in range(field.size)]
                field[...] = np.reshape(flat, field.shape)

    fill(state)
    state["crc"] = 0x12345678
    return state


def test_low_state_reads_as_the_idl_says() -> None:
    pytest.importorskip("cyclonedds")
    from robot_simulation.go2 import idl

    state = filled_state()
    payload = wire.encode_low_state(state)
    assert len(payload) == 4 + wire.LOW_STATE_BYTES == 1180
    read = idl.LowState.deserialize(payload)
    record = state[0]
    assert read.crc == 0x12345678
    assert list(read.imu_state.quaternion) == record["imu_state"]["quaternion"].tolist()
    assert read.imu_state.temperature == record["imu_state"]["temperature"]
    for index in (0, 1, 11, 19):
        motor, ours = read.motor_state[index], record["motor_state"][index]
        assert (motor.mode, motor.q, motor.ddq_raw) == (ours["mode"], ours["q"], ours["ddq_raw"])
        assert (motor.temperature, motor.lost) == (ours["temperature"], ours["lost"])
        assert list(motor.reserve) == ours["reserve"].tolist()
    assert read.bms_state.soc == record["bms_state"]["soc"]
    assert list(read.bms_state.cell_vol) == record["bms_state"]["cell_vol"].tolist()
    assert list(read.foot_force) == record["foot_force"].tolist()
    assert (read.tick, read.bit_flag) == (record["tick"], record["bit_flag"])
    assert (read.adc_reel, read.power_v) == (record["adc_reel"], record["power_v"])
    assert list(read.fan_frequency) == record["fan_frequency"].tolist()


def encoded_command(command: LowCmd) -> bytes:
    """A command as cyclonedds serialises it."""
    from robot_simulation.go2 import idl

    motors = [
        idl.MotorCmd(m.mode, m.q, m.dq, m.tau, m.kp, m.kd, list(m.reserve))
        for m in command.motor_cmd
    ]
    sample = idl.LowCmd(
        list(command.head), command.level_flag, 0, [0, 0], [0, 0], 0, motors,
        idl.BmsCmd(0, [0, 0, 0]), [0] * 40, [0] * 12, [0, 0], 0, 0, command.crc,
    )  # fmt: skip
    return bytes(sample.serialize())


def test_low_cmd_is_read_as_the_idl_writes_it() -> None:
    pytest.importorskip("cyclonedds")
    command = standing_command()
    command.crc = wire.crc(bytes(command))
    read = wire.decode_low_cmd(encoded_command(command))
    assert read is not None
    assert read.tobytes() == bytes(command)


def test_padding_of_a_sender_does_not_count() -> None:
    pytest.importorskip("cyclonedds")
    command = standing_command()
    command.crc = wire.crc(bytes(command))
    payload = bytearray(encoded_command(command))
    payload[4 + 23] = 0xAA  # behind the first motor's mode
    payload[4 + 57] = 0xBB  # behind the second's
    read = wire.decode_low_cmd(bytes(payload))
    assert read is not None
    assert wire.crc(read.tobytes()) == command.crc


@pytest.mark.parametrize(
    "payload",
    [b"", bytes(4), bytes(812), b"\0\1\0\0" + bytes(700)],
    ids=["empty", "header", "big endian", "short"],
)
def test_what_is_no_low_cmd_is_refused(payload: bytes) -> None:
    assert wire.decode_low_cmd(payload) is None
