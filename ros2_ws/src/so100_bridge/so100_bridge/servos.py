"""The six servos by their registers: everything in one read, goals in one write.

lerobot reads one register at a time and drops the status bits of synchronous reads; here one
synchronous read fetches all that changes, status included. Errors of lerobot, of pyserial and of
the operating system come out as those of this project.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntFlag
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray
from planner_core.errors import LinkLostError, RobotConnectionError
from planner_core.robot import Robot

from so100_bridge import library
from so100_bridge.calibration import JointCalibration

if TYPE_CHECKING:
    from lerobot.motors.feetech import FeetechMotorsBus

_FIRST: Final = 40
_SIZE: Final = 31
"""From the torque switch to the current, in bytes."""
_ADDRESS: Final = {
    "torque": 40, "goal": 42, "torque_limit": 48, "position": 56, "velocity": 58, "load": 60,
    "voltage": 62, "temperature": 63, "status": 65, "current": 69,
}  # fmt: skip


class Status(IntFlag):
    """Bits of a servo's status."""

    VOLTAGE = 1
    ANGLE = 2
    OVERHEATED = 4
    OVERCURRENT = 8
    OVERLOAD = 32


STATUS_WORDS: Final = {
    Status.VOLTAGE: "voltage out of range",
    Status.ANGLE: "encoder fault",
    Status.OVERHEATED: "too hot",
    Status.OVERCURRENT: "overcurrent",
    Status.OVERLOAD: "overload",
}


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """All servos at one moment, each array (n_q,) in the robot's order.

    Attributes:
        torque: Whether the motor is driven.
        goal: Goal in effect [counts].
        position: [counts].
        velocity: [counts/s].
        load: -1 to 1, share of the stall torque.
        voltage_v: [V].
        temperature_c: [degrees Celsius].
        status: Bits of `Status`.
    """

    torque: NDArray[np.bool_]
    goal: NDArray[np.int64]
    position: NDArray[np.int64]
    velocity: NDArray[np.int64]
    load: NDArray[np.float64]
    voltage_v: NDArray[np.float64]
    temperature_c: NDArray[np.int64]
    status: tuple[Status, ...]

    @property
    def all_torque(self) -> bool:
        """Whether every motor is driven."""
        return bool(self.torque.all())


class Servos:
    """The servos of one arm. All methods block; call them from one thread.

    Args:
        port: Serial port.
        robot: Whose joints they move.
        answer_timeout_s: Longest wait for an answer.
        retries: Further attempts where an answer is missing or damaged.

    Attributes:
        asked: Synchronous reads so far.
        failed: Those of them that brought nothing.

    Raises:
        MissingDriverError: lerobot is not installed.
    """

    def __init__(self, port: str, robot: Robot, answer_timeout_s: float, retries: int) -> None:
        self.port = port
        self._robot = robot
        self._retries = retries
        self._answer_timeout_s = answer_timeout_s
        self._bus: FeetechMotorsBus = library.make_bus(port, robot, answer_timeout_s)
        self._ids = {name: motor.id for name, motor in self._bus.motors.items()}
        self.asked = self.failed = 0

    def open(self) -> None:
        """Open the port and check that all servos are there.

        Raises:
            RobotConnectionError: They are not.
        """
        try:
            library.open_port(self._bus, self._retries)
        except Exception as error:
            # lerobot passes on what it meets: OSError, termios.error, RuntimeError, ValueError …
            library.close_port(self._bus)
            raise RobotConnectionError(
                f"no SO-100 answers at {self.port}", got=_cause(error),
                remedy="Are the arm's cable and its power supply plugged in, and the port free?",
            ) from error  # fmt: skip

    def close(self) -> None:
        """Let go of the port; the servos stay as they are."""
        library.close_port(self._bus)

    def read(self) -> Reading:
        """Everything that changes.

        Raises:
            LinkLostError: A servo does not answer, or the port is gone.
        """
        reader = self._bus.sync_reader
        with self._translated("read the servos"):
            reader.clearParam()
            reader.start_address, reader.data_length = _FIRST, _SIZE
            for id_ in self._ids.values():
                reader.addParam(id_)
            for _ in range(1 + self._retries):
                self.asked += 1
                self._bus.port_handler.ser.reset_input_buffer()
                result = reader.txRxPacket()
                rows = [reader.data_dict[id_] for id_ in self._ids.values()]
                if result == 0 and all(len(row) == _SIZE for row in rows):
                    return _decoded(np.array(rows, dtype=np.int64))
                self.failed += 1
                # An answer that comes after it was given up would be taken for that to the next
                # question, and each one after it for the next: old positions, and goals that seem
                # not to arrive. It is waited for, and thrown away when the next question is asked.
                time.sleep(self._answer_timeout_s)
            raise ConnectionError(self._bus.packet_handler.getTxRxResult(result))

    def write_goals(self, counts: Mapping[str, int]) -> None:
        """Write goal positions [counts]; nobody confirms them but the next reading.

        Raises:
            LinkLostError: The port is gone.
        """
        with self._translated("write goals"):
            self._bus.sync_write("Goal_Position", dict(counts), normalize=False)

    def write_torque_limits(self, limits: Mapping[str, int]) -> None:
        """Limit the torque of all servos with one packet, which nobody confirms [0.1 %].

        Raises:
            LinkLostError: The port is gone.
        """
        with self._translated("limit the torque"):
            self._bus.sync_write("Torque_Limit", dict(limits), normalize=False)

    def write_switches(self, on: bool) -> None:
        """Switch the torque of all servos with one packet, which nobody confirms.

        Raises:
            LinkLostError: The port is gone.
        """
        with self._translated("switch the torque"):
            self._bus.sync_write("Torque_Enable", int(on), normalize=False)

    def write(self, register: str, values: Mapping[str, int]) -> None:
        """Write a register, servo by servo, each confirmed.

        A servo that is overloaded confirms with that bit set, which is no failure of the write.

        Args:
            register: As lerobot calls it.
            values: By joint.

        Raises:
            LinkLostError: A servo does not confirm.
        """
        for name, value in values.items():
            with self._translated(f"write {register} of {name}"):
                self._written(register, name, value)

    def _written(self, register: str, name: str, value: int) -> None:
        bus = self._bus
        address, length = bus.model_ctrl_table[library.MODEL][register]
        if value < 0:
            value = -value | 1 << bus.model_encoding_table[library.MODEL][register]
        parts = list(value.to_bytes(length, "little"))
        for _ in range(1 + self._retries):
            result, _error = bus.packet_handler.writeTxRx(
                bus.port_handler, self._ids[name], address, length, parts
            )
            if result == 0:
                return
        raise ConnectionError(bus.packet_handler.getTxRxResult(result))

    def write_all(self, register: str, value: int) -> None:
        """Write the same value to all servos; see `write`."""
        self.write(register, dict.fromkeys(self._ids, value))

    def register(self, register: str) -> dict[str, int]:
        """A register of all servos.

        Raises:
            LinkLostError: A servo does not answer.
        """
        with self._translated(f"read {register}"):
            values: dict[str, int] = self._bus.sync_read(
                register, normalize=False, num_retry=self._retries
            )
            return values

    def calibration(self) -> dict[str, JointCalibration]:
        """What the servos themselves keep; see `register`."""
        offsets = self.register("Homing_Offset")
        low, high = self.register("Min_Position_Limit"), self.register("Max_Position_Limit")
        return {
            name: JointCalibration(id_, 0, offsets[name], low[name], high[name])
            for name, id_ in self._ids.items()
        }

    def keep(self, calibration: Mapping[str, JointCalibration]) -> None:
        """Have the servos keep a calibration; the torque must be off.

        Raises:
            LinkLostError: A servo does not confirm.
        """
        self.write_all("Lock", 0)
        for register, attribute in (
            ("Homing_Offset", "homing_offset"),
            ("Min_Position_Limit", "range_min"),
            ("Max_Position_Limit", "range_max"),
        ):
            values = {n: getattr(joint, attribute) for n, joint in calibration.items()}
            self.write(register, values)
        self.write_all("Lock", 1)

    @contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            # A failed exchange leaves the port marked as busy, for ever.
            self._bus.port_handler.is_using = False
            raise LinkLostError(f"cannot {what} at {self.port}", got=_cause(error)) from error


def _cause(error: Exception) -> str:
    """One line of what is often a table."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:3]) or type(error).__name__


def _decoded(rows: NDArray[np.int64]) -> Reading:
    """From (n_q, 31) bytes."""

    def byte(name: str) -> NDArray[np.int64]:
        return rows[:, _ADDRESS[name] - _FIRST]

    def word(name: str, sign_bit: int | None = None) -> NDArray[np.int64]:
        at = _ADDRESS[name] - _FIRST
        value = rows[:, at] | rows[:, at + 1] << 8
        if sign_bit is None:
            return value
        magnitude = value & ((1 << sign_bit) - 1)
        return np.where(value >> sign_bit & 1, -magnitude, magnitude)

    return Reading(
        torque=byte("torque") == 1,
        goal=word("goal", 15),
        position=word("position", 15),
        velocity=word("velocity", 15),
        load=word("load", 10) / 1000.0,
        voltage_v=byte("voltage") / 10.0,
        temperature_c=byte("temperature"),
        status=tuple(Status(int(s) & sum(Status)) for s in byte("status")),
    )
