"""The DDS types of the robot's topics, by the names that the robot gives them.

The two fast topics carry bytes that `wire` laid out: describing 500 samples a second field by field
would take a quarter of a processor core. Their types still name every field, as other participants
compare them.
"""

from dataclasses import dataclass
from typing import Any

from cyclonedds.idl import IdlStruct
from cyclonedds.idl.types import (
    array,
    float32,
    int8,
    int16,
    int32,
    int64,
    sequence,
    uint8,
    uint16,
    uint32,
)

_GO, _API = "unitree_go.msg.dds_", "unitree_api.msg.dds_"


@dataclass
class MotorCmd(IdlStruct, typename=f"{_GO}.MotorCmd_"):
    """Command of one joint."""

    mode: uint8
    q: float32
    dq: float32
    tau: float32
    kp: float32
    kd: float32
    reserve: array[uint32, 3]


@dataclass
class BmsCmd(IdlStruct, typename=f"{_GO}.BmsCmd_"):
    """Command to the battery."""

    off: uint8
    reserve: array[uint8, 3]


@dataclass
class LowCmd(IdlStruct, typename=f"{_GO}.LowCmd_"):
    """Command of all joints; received as its bytes, see `Encoded`."""

    head: array[uint8, 2]
    level_flag: uint8
    frame_reserve: uint8
    sn: array[uint32, 2]
    version: array[uint32, 2]
    bandwidth: uint16
    motor_cmd: array[MotorCmd, 20]
    bms_cmd: BmsCmd
    wireless_remote: array[uint8, 40]
    led: array[uint8, 12]
    fan: array[uint8, 2]
    gpio: uint8
    reserve: uint32
    crc: uint32

    @classmethod
    def deserialize(cls, data: bytes, **_options: Any) -> "EncodedLowCmd":
        """Keep the bytes as they came."""
        return EncodedLowCmd(data)


@dataclass
class IMUState(IdlStruct, typename=f"{_GO}.IMUState_"):
    """Inertial sensor; the quaternion is w, x, y, z."""

    quaternion: array[float32, 4]
    gyroscope: array[float32, 3]
    accelerometer: array[float32, 3]
    rpy: array[float32, 3]
    temperature: int8


@dataclass
class MotorState(IdlStruct, typename=f"{_GO}.MotorState_"):
    """State of one joint."""

    mode: uint8
    q: float32
    dq: float32
    ddq: float32
    tau_est: float32
    q_raw: float32
    dq_raw: float32
    ddq_raw: float32
    temperature: int8
    lost: uint32
    reserve: array[uint32, 2]


@dataclass
class BmsState(IdlStruct, typename=f"{_GO}.BmsState_"):
    """State of the battery."""

    version_high: uint8
    version_low: uint8
    status: uint8
    soc: uint8
    current: int32
    cycle: uint16
    bq_ntc: array[int8, 2]
    mcu_ntc: array[int8, 2]
    cell_vol: array[uint16, 15]


@dataclass
class LowState(IdlStruct, typename=f"{_GO}.LowState_"):
    """State of all joints and the body."""

    head: array[uint8, 2]
    level_flag: uint8
    frame_reserve: uint8
    sn: array[uint32, 2]
    version: array[uint32, 2]
    bandwidth: uint16
    imu_state: IMUState
    motor_state: array[MotorState, 20]
    bms_state: BmsState
    foot_force: array[int16, 4]
    foot_force_est: array[int16, 4]
    tick: uint32
    wireless_remote: array[uint8, 40]
    bit_flag: uint8
    adc_reel: float32
    temperature_ntc1: int8
    temperature_ntc2: int8
    power_v: float32
    power_a: float32
    fan_frequency: array[uint16, 4]
    reserve: uint32
    crc: uint32


@dataclass
class TimeSpec(IdlStruct, typename=f"{_GO}.TimeSpec_"):
    """The robot's time."""

    sec: int32
    nanosec: uint32


@dataclass
class SportModeState(IdlStruct, typename=f"{_GO}.SportModeState_"):
    """State of the built-in locomotion."""

    stamp: TimeSpec
    error_code: uint32
    imu_state: IMUState
    mode: uint8
    progress: float32
    gait_type: uint8
    foot_raise_height: float32
    position: array[float32, 3]
    body_height: float32
    velocity: array[float32, 3]
    yaw_speed: float32
    range_obstacle: array[float32, 4]
    foot_force: array[int16, 4]
    foot_position_body: array[float32, 12]
    foot_speed_body: array[float32, 12]


@dataclass
class RequestIdentity(IdlStruct, typename=f"{_API}.RequestIdentity_"):
    """Which call, to which function."""

    id: int64
    api_id: int64


@dataclass
class RequestLease(IdlStruct, typename=f"{_API}.RequestLease_"):
    """Exclusive use; 0 for none."""

    id: int64


@dataclass
class RequestPolicy(IdlStruct, typename=f"{_API}.RequestPolicy_"):
    """How to answer."""

    priority: int32
    noreply: bool


@dataclass
class RequestHeader(IdlStruct, typename=f"{_API}.RequestHeader_"):
    """Of a request."""

    identity: RequestIdentity
    lease: RequestLease
    policy: RequestPolicy


@dataclass
class Request(IdlStruct, typename=f"{_API}.Request_"):
    """A call; its parameter is JSON."""

    header: RequestHeader
    parameter: str
    binary: sequence[uint8]


@dataclass
class ResponseStatus(IdlStruct, typename=f"{_API}.ResponseStatus_"):
    """0 for success."""

    code: int32


@dataclass
class ResponseHeader(IdlStruct, typename=f"{_API}.ResponseHeader_"):
    """Of a response."""

    identity: RequestIdentity
    status: ResponseStatus


@dataclass
class Response(IdlStruct, typename=f"{_API}.Response_"):
    """An answer; its data is JSON."""

    header: ResponseHeader
    data: str
    binary: sequence[int8]


class EncodedLowState(LowState):
    """A LowState that exists as a DDS payload only.

    Args:
        payload: Header and body.
    """

    def __init__(self, payload: bytes) -> None:
        self.payload = payload

    def serialize(self, *_arguments: Any, **_options: Any) -> bytes:
        """The payload."""
        return self.payload


class EncodedLowCmd(LowCmd):
    """A LowCmd that exists as a DDS payload only.

    Args:
        payload: Header and body.
    """

    def __init__(self, payload: bytes) -> None:
        self.payload = payload
