"""The memory of an STS3215 servo: where each value lives, how it is encoded, who may write it.

**Source**: memory table of Feetech's STS/SMS series; little-endian words, signs as a bit of their
own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

SIZE: Final = 87
"""Bytes of memory."""
COUNTS: Final = 4096
"""Encoder counts of one turn."""
MODEL_NUMBER: Final = 777
EEPROM_END: Final = 40
"""Below it, values outlive a loss of power, if the lock was open when they were written."""


@dataclass(frozen=True, slots=True)
class Register:
    """One value in memory.

    Attributes:
        name: As the data sheet calls it, in snake case.
        address: Of its first byte.
        size: Bytes.
        default: After the factory.
        sign_bit: Bit that holds the sign of the magnitude below it; None: unsigned.
        writable: Whether the bus may write it.
    """

    name: str
    address: int
    size: int
    default: int = 0
    sign_bit: int | None = None
    writable: bool = True

    def encoded(self, value: int) -> bytes:
        """Its bytes; a magnitude that does not fit is clipped, as the servo does."""
        bits = 8 * self.size if self.sign_bit is None else self.sign_bit
        magnitude = min(abs(value), (1 << bits) - 1)
        if value < 0:
            if self.sign_bit is None:
                raise ValueError(f"{self.name} cannot be negative, got {value}")
            magnitude |= 1 << self.sign_bit
        return magnitude.to_bytes(self.size, "little")

    def decoded(self, data: bytes | bytearray) -> int:
        """Its value from its bytes."""
        value = int.from_bytes(data, "little")
        if self.sign_bit is not None and value >> self.sign_bit & 1:
            return -(value & ((1 << self.sign_bit) - 1))
        return value


def _read_only(name: str, address: int, size: int, default: int = 0, sign: int | None = None):
    return Register(name, address, size, default, sign, writable=False)


REGISTERS: Final = {
    register.name: register
    for register in (
        _read_only("firmware_major", 0, 1, 3),
        _read_only("firmware_minor", 1, 1, 10),
        _read_only("model_number", 3, 2, MODEL_NUMBER),
        Register("id", 5, 1, 1),
        Register("baud_rate", 6, 1),
        Register("return_delay", 7, 1, 250),  # 2 us
        Register("status_level", 8, 1, 1),
        Register("min_limit", 9, 2),
        Register("max_limit", 11, 2, COUNTS - 1),
        Register("max_temperature", 13, 1, 70),  # degrees Celsius
        Register("max_voltage", 14, 1, 140),  # 0.1 V
        Register("min_voltage", 15, 1, 40),
        Register("max_torque", 16, 2, 1000),  # 0.1 % of the stall torque
        Register("phase", 18, 1, 12),
        Register("unloading_condition", 19, 1, 44),
        Register("alarm_condition", 20, 1, 47),
        Register("p_gain", 21, 1, 32),
        Register("d_gain", 22, 1, 32),
        Register("i_gain", 23, 1),
        Register("startup_force", 24, 2, 16),
        Register("clockwise_dead_zone", 26, 1, 1),
        Register("counterclockwise_dead_zone", 27, 1, 1),
        Register("protection_current", 28, 2, 500),  # 6.5 mA
        Register("angular_resolution", 30, 1, 1),
        Register("homing_offset", 31, 2, sign_bit=11),
        Register("mode", 33, 1),
        Register("protective_torque", 34, 1, 20),  # % of the stall torque
        Register("protection_time", 35, 1, 200),  # 10 ms
        Register("overload_torque", 36, 1, 80),  # % of the stall torque
        Register("velocity_p_gain", 37, 1, 10),
        Register("current_protection_time", 38, 1, 200),  # 10 ms
        Register("velocity_i_gain", 39, 1, 200),
        Register("torque_enable", 40, 1),
        Register("acceleration", 41, 1),  # 100 counts/s^2, 0 for all it can
        Register("goal_position", 42, 2, sign_bit=15),
        Register("goal_time", 44, 2),
        Register("goal_velocity", 46, 2, sign_bit=15),  # counts/s, 0 for all it can
        Register("torque_limit", 48, 2, 1000),  # 0.1 % of the stall torque
        Register("lock", 55, 1, 1),
        _read_only("present_position", 56, 2, sign=15),
        _read_only("present_velocity", 58, 2, sign=15),  # counts/s
        _read_only("present_load", 60, 2, sign=10),  # 0.1 % of the stall torque
        _read_only("present_voltage", 62, 1),  # 0.1 V
        _read_only("present_temperature", 63, 1),  # degrees Celsius
        _read_only("status", 65, 1),
        _read_only("moving", 66, 1),
        _read_only("present_current", 69, 2),  # 6.5 mA
        _read_only("goal_in_effect", 71, 2),
        Register("moving_velocity", 80, 1, 1),
        Register("control_period", 81, 1, 1),
        Register("velocity_unit", 82, 1, 1),
        Register("minimum_velocity", 83, 1),
        Register("maximum_velocity", 84, 1, 100),
        Register("maximum_acceleration", 85, 1, 254),
        Register("acceleration_multiplier", 86, 1, 1),
    )
}


class Memory:
    """A servo's memory, by name for the firmware and by address for the bus.

    EEPROM values that are written while the lock is closed hold until the power is lost.
    """

    def __init__(self) -> None:
        self._bytes = bytearray(SIZE)
        for register in REGISTERS.values():
            self[register.name] = register.default
        self._eeprom = self._bytes[:EEPROM_END]

    def __getitem__(self, name: str) -> int:
        register = REGISTERS[name]
        return register.decoded(self._bytes[register.address : register.address + register.size])

    def __setitem__(self, name: str, value: int) -> None:
        register = REGISTERS[name]
        end = register.address + register.size
        self._bytes[register.address : end] = register.encoded(value)

    def read(self, address: int, size: int) -> bytes | None:
        """Bytes as the bus sees them; None where there is no memory."""
        if address + size > SIZE:
            return None
        return bytes(self._bytes[address : address + size])

    def write(self, address: int, data: bytes) -> list[str] | None:
        """Write bytes from the bus.

        Returns:
            Names of the registers that were written, in order; None where there is no memory. Bytes
            that may not be written stay as they are.
        """
        if address + len(data) > SIZE:
            return None
        unlocked = self["lock"] == 0
        changed = []
        for register, begin, end in self._touched(address, len(data)):
            self._bytes[begin:end] = data[begin - address : end - address]
            if unlocked and end <= EEPROM_END:
                self._eeprom[begin:end] = self._bytes[begin:end]
            changed.append(register.name)
        return changed

    def lose_power(self) -> None:
        """Forget everything but the EEPROM."""
        for register in REGISTERS.values():
            self[register.name] = register.default
        self._bytes[:EEPROM_END] = self._eeprom

    def persist(self) -> None:
        """Keep the EEPROM values as they are now: what a service tool does in the workshop."""
        self._eeprom[:] = self._bytes[:EEPROM_END]

    def _touched(self, address: int, size: int) -> Iterator[tuple[Register, int, int]]:
        for register in REGISTERS.values():
            begin = max(register.address, address)
            end = min(register.address + register.size, address + size)
            if register.writable and begin < end:
                yield register, begin, end
