"""The one place where lerobot is imported: late, because it is an option and brings torch along."""

from __future__ import annotations

from types import MethodType
from typing import TYPE_CHECKING, Any, Final

from planner_core.errors import MissingDriverError
from planner_core.robot import Robot

if TYPE_CHECKING:
    from lerobot.motors.feetech import FeetechMotorsBus

MODEL: Final = "sts3215"
_POLL_S: Final = 0.001


def make_bus(port: str, robot: Robot, answer_timeout_s: float) -> FeetechMotorsBus:
    """lerobot's bus of the arm's servos, not connected yet.

    The bus, not lerobot's robot: that one switches the torque off whenever it is configured, and
    when it is collected as garbage.

    Args:
        port: Serial port.
        robot: Whose joints are servos 1, 2, 3 …
        answer_timeout_s: Longest wait for an answer, beyond the time on the wire.

    Raises:
        MissingDriverError: It is not installed.
    """
    try:
        import torch
        from lerobot.motors import Motor, MotorNormMode
        from lerobot.motors.feetech import FeetechMotorsBus
    except ImportError as error:
        raise MissingDriverError(
            "the library lerobot cannot be imported", got=error, expected="lerobot 0.4.4",
            remedy="Install it into the environment of the bridge: "
            "pip install --no-deps -r requirements/so100.txt",
        ) from error  # fmt: skip
    # lerobot brings torch along and makes no use of it here; its threads would only spin.
    torch.set_num_threads(1)
    motors = {
        name: Motor(index + 1, MODEL, MotorNormMode.DEGREES)
        for index, name in enumerate(robot.names)
    }
    bus = FeetechMotorsBus(port, motors)

    def set_timeout(handler: Any, length: int) -> None:
        handler.packet_start_time = handler.getCurrentTime()
        handler.packet_timeout = handler.tx_time_per_byte * (length + 3) + answer_timeout_s * 1e3

    # lerobot waits 50 ms for every answer: five times the period of the loop that would wait.
    bus.port_handler.setPacketTimeout = MethodType(set_timeout, bus.port_handler)
    return bus


def open_port(bus: FeetechMotorsBus, retries: int) -> None:
    """Open the port and greet the servos; whatever lerobot and pyserial raise passes through.

    lerobot's own greeting takes one lost answer for a missing servo.

    Raises:
        ConnectionError: A servo is missing, or is of another model.
    """
    bus.connect(handshake=False)
    # Without it, lerobot asks for bytes as fast as the processor can.
    bus.port_handler.ser.timeout = _POLL_S
    expected = bus.model_number_table[MODEL]
    for name, motor in bus.motors.items():
        found = bus.ping(name, num_retry=retries)
        if found != expected:
            what = "does not answer" if found is None else f"is of model {found}, not {expected}"
            raise ConnectionError(f"servo {motor.id} ({name}) {what}")


def close_port(bus: FeetechMotorsBus) -> None:
    """Close the port without a word to the servos, which go on holding the arm."""
    if bus.port_handler.ser is not None:
        bus.port_handler.closePort()
