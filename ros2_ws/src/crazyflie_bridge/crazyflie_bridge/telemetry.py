"""What the robot reports: log blocks, and the samples made of them.

The robot's units (g, degrees, percent) end here: samples are in m, rad, s.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntFlag
from typing import Final

from crazyflie_bridge.robot_clock import RobotClock

Vector = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]

GRAVITY_M_S2: Final = 9.81
"""The firmware's own constant, by which it divides accelerations."""
CONVERGENCE_SAMPLES: Final = 10
"""Length of the history of variances, at 10 Hz: one second."""
_QUALITY_NS: Final = 1_000_000_000
_BYTES: Final = {"float": 4, "uint32_t": 4, "FP16": 2, "uint16_t": 2, "uint8_t": 1}
MAX_PAYLOAD: Final = 26
MAX_VARIABLES: Final = 9
"""cflib announces more in a second packet, and leaves a stray byte at the end of the first."""


@dataclass(frozen=True, slots=True)
class LogBlock:
    """Variables that the robot sends together, in one packet.

    Attributes:
        name: For people.
        period_ms: A multiple of 10.
        variables: Name and format of each.
    """

    name: str
    period_ms: int
    variables: tuple[tuple[str, str], ...]

    def __post_init__(self) -> None:
        size = sum(_BYTES[kind] for _, kind in self.variables)
        if size > MAX_PAYLOAD or len(self.variables) > MAX_VARIABLES:
            raise ValueError(
                f"log block {self.name}: {size} bytes in {len(self.variables)} variables, at most "
                f"{MAX_PAYLOAD} in {MAX_VARIABLES}"
            )


def _variables(group: str, names: str, kind: str) -> tuple[tuple[str, str], ...]:
    return tuple((f"{group}.{name}", kind) for name in names.split())


# Short formats, finer than the estimate itself, put the whole state into one packet, so that no
# consumer ever sees a new position with an old attitude.
STATE: Final = LogBlock(
    "state", 10,
    (
        *_variables("stateEstimate", "x y z", "float"),
        *_variables("stateEstimate", "vx vy vz", "FP16"),
        ("stateEstimateZ.quat", "uint32_t"),
    ),
)  # fmt: skip
IMU: Final = LogBlock(
    "imu", 10, _variables("acc", "x y z", "float") + _variables("gyro", "x y z", "float")
)
VITALS: Final = LogBlock(
    "vitals", 100,
    (
        *_variables("kalman", "varPX varPY varPZ", "float"),
        ("pm.vbat", "float"),
        ("pm.batteryLevel", "uint8_t"),
        ("supervisor.info", "uint16_t"),
    ),
)  # fmt: skip
BLOCKS: Final = (STATE, IMU, VITALS)


class Flag(IntFlag):
    """The supervisor's status word."""

    CAN_ARM = 1 << 0
    ARMED = 1 << 1
    AUTO_ARM = 1 << 2
    CAN_FLY = 1 << 3
    FLYING = 1 << 4
    TUMBLED = 1 << 5
    LOCKED = 1 << 6
    CRASHED = 1 << 7
    HIGH_LEVEL_ACTIVE = 1 << 8
    HIGH_LEVEL_FINISHED = 1 << 9
    HIGH_LEVEL_DISABLED = 1 << 10


@dataclass(frozen=True, slots=True)
class StateSample:
    """The on-board estimate.

    Attributes:
        steady_ns: Host time at which it held [ns].
        position: [m] world frame.
        velocity: [m/s] world frame.
        quaternion: x, y, z, w, of unit length; from the body to the world.
    """

    steady_ns: int
    position: Vector
    velocity: Vector
    quaternion: Quaternion

    @property
    def yaw(self) -> float:
        """Heading [rad]."""
        x, y, z, w = self.quaternion
        return math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))


@dataclass(frozen=True, slots=True)
class ImuSample:
    """The inertial sensor, in body axes.

    Attributes:
        steady_ns: Host time of the sample [ns].
        acceleration: Specific force [m/s^2].
        rates: [rad/s].
    """

    steady_ns: int
    acceleration: Vector
    rates: Vector


@dataclass(frozen=True, slots=True)
class Vitals:
    """Supervisor, battery and confidence.

    Attributes:
        received_ns: Host time of arrival [ns].
        flags: The supervisor's status word.
        battery: Charge, 0..1.
        voltage_v: Of the battery [V].
        variances: [m^2] of the last second's position estimates, oldest first.
    """

    received_ns: int
    flags: Flag
    battery: float
    voltage_v: float
    variances: tuple[Vector, ...]


class Telemetry:
    """Takes packets in cflib's thread and hands samples to the executor's.

    Args:
        steady_ns: The host's steady clock.
        on_sample: Called in cflib's thread when a state or inertial sample has arrived.
    """

    def __init__(
        self, steady_ns: Callable[[], int], on_sample: Callable[[], None] = lambda: None
    ) -> None:
        self._steady_ns = steady_ns
        self._on_sample = on_sample
        self._lock = threading.Lock()
        self._time = RobotClock()
        self.begin()

    def begin(self) -> None:
        """Forget what another connection brought."""
        with self._lock:
            self._time.reset()
            self._began_ns = self._last_ns = self._steady_ns()
            self._arrivals: deque[int] = deque(maxlen=2000 // STATE.period_ms)
            # One second at most waits for the executor; whoever is later gets the newest.
            self._states: deque[StateSample] = deque(maxlen=100)
            self._inertial: deque[ImuSample] = deque(maxlen=100)
            self._variances: deque[Vector] = deque(maxlen=CONVERGENCE_SAMPLES)
            self._state: StateSample | None = None
            self._vitals: Vitals | None = None

    @property
    def state(self) -> StateSample | None:
        """The newest estimate of this connection."""
        return self._state

    @property
    def vitals(self) -> Vitals | None:
        """The newest vitals of this connection."""
        return self._vitals

    @property
    def age_s(self) -> float:
        """Time since the last log packet, or since the connection began [s]."""
        return (self._steady_ns() - self._last_ns) * 1e-9

    @property
    def quality(self) -> float:
        """Share of the last second's state packets that arrived, 0..1."""
        now = self._steady_ns()
        with self._lock:
            arrived = sum(now - at <= _QUALITY_NS for at in self._arrivals)
        expected = min(now - self._began_ns, _QUALITY_NS) // (STATE.period_ms * 1_000_000)
        return min(1.0, arrived / max(1, expected))

    def take(self) -> tuple[list[StateSample], list[ImuSample]]:
        """The samples that came since the last call."""
        with self._lock:
            states, inertial = list(self._states), list(self._inertial)
            self._states.clear()
            self._inertial.clear()
        return states, inertial

    def receive(self, block: LogBlock, robot_ms: int, values: Mapping[str, float]) -> None:
        """Take one log packet; in cflib's thread.

        A packet with a number that is not finite counts as heard but yields no sample: what it
        reports is unknown.
        """
        numbers = tuple(float(values[name]) for name, _ in block.variables)
        finite = all(math.isfinite(number) for number in numbers)
        with self._lock:
            received_ns = self._last_ns = self._steady_ns()
            steady_ns = self._time.host_ns(robot_ms, received_ns)
            if block is STATE:
                self._arrivals.append(received_ns)
                if finite:
                    self._state = _state_sample(steady_ns, numbers)
                    self._states.append(self._state)
            elif block is IMU and finite:
                self._inertial.append(_imu_sample(steady_ns, numbers))
            elif block is VITALS and finite:
                self._variances.append((numbers[0], numbers[1], numbers[2]))
                self._vitals = Vitals(
                    received_ns, Flag(int(numbers[5])), numbers[4] / 100.0, numbers[3],
                    tuple(self._variances),
                )  # fmt: skip
        if block is not VITALS:
            self._on_sample()


def unpacked_quaternion(packed: int) -> Quaternion:
    """A unit quaternion x, y, z, w of 32 bits.

    Two bits on top name the largest component, which is positive; the others follow in order, each
    as a sign and nine bits of magnitude in units of 1 / (511 sqrt 2).
    """
    largest = packed >> 30
    components = [0.0] * 4
    for index in (3, 2, 1, 0):
        if index != largest:
            magnitude = (packed & 0x1FF) / (511.0 * math.sqrt(2.0))
            components[index] = -magnitude if packed & 0x200 else magnitude
            packed >>= 10
    components[largest] = math.sqrt(max(0.0, 1.0 - sum(c * c for c in components)))
    norm = math.hypot(*components)
    x, y, z, w = (component / norm for component in components)
    return (x, y, z, w)


def _state_sample(steady_ns: int, numbers: tuple[float, ...]) -> StateSample:
    x, y, z, vx, vy, vz, packed = numbers
    return StateSample(steady_ns, (x, y, z), (vx, vy, vz), unpacked_quaternion(int(packed)))


def _imu_sample(steady_ns: int, numbers: tuple[float, ...]) -> ImuSample:
    ax, ay, az = (GRAVITY_M_S2 * value for value in numbers[:3])
    p, q, r = (math.radians(value) for value in numbers[3:])
    return ImuSample(steady_ns, (ax, ay, az), (p, q, r))
