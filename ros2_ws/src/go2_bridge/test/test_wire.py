"""The codec against the messages that rosidl generates, and against the robot's checksum."""

from __future__ import annotations

import struct
import time

import numpy as np
import pytest
from go2_bridge import wire
from rclpy.serialization import deserialize_message, serialize_message
from unitree_go.msg import LowCmd, LowState, SportModeState


def low_state(tick: int = 2, crc: int | None = None) -> bytes:
    """A LowState as a ROS publisher writes it, with the right checksum unless one is given."""
    message = LowState(tick=tick, power_v=29.5, bit_flag=7, adc_reel=1.5, temperature_ntc1=-3)
    message.head = np.array([0xFE, 0xEF], np.uint8)
    message.bandwidth = 0xABCD
    imu = message.imu_state
    imu.quaternion = np.array([0.5, -0.5, 0.5, -0.5], np.float32)
    imu.gyroscope = np.array([0.1, 0.2, 0.3], np.float32)
    imu.accelerometer = np.array([1.0, 2.0, 9.5], np.float32)
    imu.temperature = -5
    for index, motor in enumerate(message.motor_state):
        motor.mode, motor.temperature, motor.lost = 1, 40 + index, index
        motor.q, motor.dq, motor.tau_est = 0.1 * index, -0.2 * index, 0.3 * index
    message.bms_state.soc, message.bms_state.current = 88, -2500
    message.foot_force = np.array([10, 20, 30, 40], np.int16)
    message.crc = true_checksum(message) if crc is None else crc
    return serialize_message(message)[: 4 + wire.LOW_STATE_BYTES]


def true_checksum(message: LowState) -> int:
    """Over the C struct, field by field and bit by bit."""
    head = struct.pack(
        "<2B2B2I2IH2x", *message.head, message.level_flag, message.frame_reserve,
        *message.sn, *message.version, message.bandwidth,
    )  # fmt: skip
    imu = message.imu_state
    body = struct.pack(
        "<13fb3x", *imu.quaternion, *imu.gyroscope, *imu.accelerometer, *imu.rpy, imu.temperature
    )
    for m in message.motor_state:
        body += struct.pack(
            "<B3x7fb3x3I", m.mode, m.q, m.dq, m.ddq, m.tau_est, m.q_raw, m.dq_raw, m.ddq_raw,
            m.temperature, m.lost, *m.reserve,
        )  # fmt: skip
    b = message.bms_state
    body += struct.pack(
        "<4BiH2b2b15H", b.version_high, b.version_low, b.status, b.soc, b.current, b.cycle,
        *b.bq_ntc, *b.mcu_ntc, *b.cell_vol,
    )  # fmt: skip
    body += struct.pack(
        "<4h4hI40BB3xf2b2x2f4HI", *message.foot_force, *message.foot_force_est, message.tick,
        *message.wireless_remote, message.bit_flag, message.adc_reel, message.temperature_ntc1,
        message.temperature_ntc2, message.power_v, message.power_a, *message.fan_frequency,
        message.reserve,
    )  # fmt: skip
    assert len(head + body) == 1176
    return crc_bit_by_bit(head + body)


def crc_bit_by_bit(data: bytes) -> int:
    """Polynomial 0x04C11DB7, one bit of one little-endian word at a time, highest first."""
    crc = 0xFFFFFFFF
    for (word,) in struct.iter_unpack("<I", data):
        for bit in range(31, -1, -1):
            carry = (crc >> 31) ^ (word >> bit & 1)
            crc = (crc << 1) & 0xFFFFFFFF ^ (0x04C11DB7 if carry else 0)
    return crc


@pytest.mark.parametrize(
    ("words", "golden"),
    [(bytes(808), 0x4B5A4880), (bytes(1176), 0x85F11EA6), (b"\1\2\3\4", 0x1DABE74F)],
    ids=["empty LowCmd", "empty LowState", "one word"],
)
def test_golden_checksums(words: bytes, golden: int) -> None:
    assert wire.checksum(words) == golden
    assert crc_bit_by_bit(words) == golden


def test_checksum_of_random_words() -> None:
    dice = np.random.default_rng(3)
    for _ in range(20):
        words = dice.bytes(4 * int(dice.integers(1, 300)))
        assert wire.checksum(words) == crc_bit_by_bit(words)


def test_low_state_is_read_as_rosidl_writes_it() -> None:
    payload = low_state(tick=1234)
    assert wire.is_low_state(payload)
    assert wire.low_state_is_intact(payload)
    state = wire.decode_low_state(payload)
    assert state.tick_ms == 1234
    np.testing.assert_allclose(state.q, 0.1 * np.arange(12), atol=1e-6)
    np.testing.assert_allclose(state.dq, -0.2 * np.arange(12), atol=1e-6)
    np.testing.assert_allclose(state.torque, 0.3 * np.arange(12), atol=1e-6)
    np.testing.assert_allclose(state.quaternion, [0.5, -0.5, 0.5, -0.5])
    np.testing.assert_allclose(state.rates, [0.1, 0.2, 0.3], atol=1e-7)
    np.testing.assert_allclose(state.acceleration, [1.0, 2.0, 9.5])
    np.testing.assert_allclose(state.foot_force, [10, 20, 30, 40])
    assert (state.charge, state.voltage_v, state.current_a) == (0.88, 29.5, -2.5)


def test_padding_of_a_sender_does_not_count() -> None:
    payload = bytearray(low_state())
    # In front of the inertial sensor, behind the modes of two motors, behind single bytes.
    for offset in (22, 78, 79, 125, 1141, 1150):
        payload[4 + offset] = 0xAA
    assert wire.low_state_is_intact(bytes(payload))


@pytest.mark.parametrize("offset", [0, 20, 77, 80, 700, 1100, 1175])
def test_a_damaged_byte_is_noticed(offset: int) -> None:
    payload = bytearray(low_state())
    payload[4 + offset] ^= 0x10
    assert not wire.low_state_is_intact(bytes(payload))


@pytest.mark.parametrize(
    "payload",
    [b"", bytes(4), low_state()[:-4], b"\0\0" + low_state()[2:], low_state() + bytes(8)],
    ids=["empty", "header", "short", "big endian", "long"],
)
def test_what_is_no_low_state_is_refused(payload: bytes) -> None:
    assert not wire.is_low_state(payload)


def test_low_cmd_reads_as_rosidl_says() -> None:
    encoder = wire.LowCmdEncoder()
    q, dq = 0.1 * np.arange(12), -0.1 * np.arange(12)
    message = deserialize_message(encoder.encode(q, dq, 60.0, 5.0), LowCmd)
    assert (message.head.tolist(), message.level_flag) == ([0xFE, 0xEF], 0xFF)
    for index, motor in enumerate(message.motor_cmd):
        if index < 12:
            assert (motor.mode, motor.kp, motor.kd, motor.tau) == (1, 60.0, 5.0, 0.0)
            assert motor.q == pytest.approx(q[index])
            assert motor.dq == pytest.approx(dq[index])
        else:
            assert (motor.mode, motor.kp, motor.kd) == (0, 0.0, 0.0)
            assert motor.q == pytest.approx(2.146e9)
    motors = b"".join(
        struct.pack("<B3x5f3I", m.mode, m.q, m.dq, m.tau, m.kp, m.kd, *m.reserve)
        for m in message.motor_cmd
    )
    struct_bytes = struct.pack("<4B18x2x", 0xFE, 0xEF, 0xFF, 0) + motors + bytes(64)
    assert len(struct_bytes) == 808
    assert message.crc == crc_bit_by_bit(struct_bytes)


def test_damping_has_no_stiffness() -> None:
    message = deserialize_message(wire.LowCmdEncoder().encode_damping(4.0), LowCmd)
    assert {(m.mode, m.kp, m.kd) for m in message.motor_cmd[:12]} == {(1, 0.0, 4.0)}


def test_sport_state_is_read_as_rosidl_writes_it() -> None:
    message = SportModeState(mode=3, error_code=9, yaw_speed=0.5)
    message.position = np.array([1.0, 2.0, 0.5], np.float32)
    message.velocity = np.array([0.25, -0.5, 0.0], np.float32)
    message.imu_state.quaternion = np.array([1.0, 0.0, 0.0, 0.0], np.float32)
    message.imu_state.gyroscope = np.array([0.0, 0.5, 0.25], np.float32)
    payload = serialize_message(message)[: 4 + wire.SPORT_STATE_BYTES]
    state = wire.decode_sport_state(payload)
    assert state is not None
    assert (state.mode, state.error_code) == (3, 9)
    assert state.position.tolist() == [1.0, 2.0, 0.5]
    assert state.velocity.tolist() == [0.25, -0.5, 0.0]
    assert state.quaternion.tolist() == [1.0, 0.0, 0.0, 0.0]
    assert state.rates.tolist() == [0.0, 0.5, 0.25]
    assert wire.decode_sport_state(payload[:-4]) is None


@pytest.mark.filterwarnings("error")
def test_a_signalling_nan_is_a_nan() -> None:
    signalling = bytes([0x01, 0, 0xA0, 0x7F])
    payload = wire.HEADER + signalling * (wire.LOW_STATE_BYTES // 4)
    assert np.isnan(wire.decode_low_state(payload).quaternion).all()
    payload = wire.HEADER + signalling * (wire.SPORT_STATE_BYTES // 4)
    state = wire.decode_sport_state(payload)
    assert state is not None
    assert np.isnan(state.position).all()


@pytest.mark.slow
def test_decoding_takes_at_most_60_us() -> None:
    payload, times = low_state(), []
    for _ in range(5000):
        began = time.perf_counter()
        assert wire.is_low_state(payload)
        assert wire.low_state_is_intact(payload)
        wire.decode_low_state(payload)
        times.append(time.perf_counter() - began)
    median, p99 = np.percentile(times, [50, 99]) * 1e6
    print(f"LowState decode + CRC: median {median:.1f} us, p99 {p99:.1f} us")
    assert median <= 60.0
