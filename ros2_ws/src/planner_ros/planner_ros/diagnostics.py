"""What a node knows of its own health, as the messages that monitoring tools read."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue


class Health(Enum):
    """The levels of a diagnostic status."""

    OK = DiagnosticStatus.OK
    WARNING = DiagnosticStatus.WARN
    ERROR = DiagnosticStatus.ERROR
    STALE = DiagnosticStatus.STALE


def diagnostics_msg(
    stamp: Time,
    name: str,
    health: Health,
    message: str,
    values: Mapping[str, float | int | str],
    *,
    hardware: str = "",
) -> DiagnosticArray:
    """One status with its figures, for the topic ``/diagnostics``.

    Args:
        stamp: ROS time at which the figures hold.
        name: Node and what of it, e.g. ``planner_server: planning``.
        health: How it is.
        message: One clause in words.
        values: Figures by name, the unit at the end of the name.
        hardware: Robot that it belongs to.
    """
    status = DiagnosticStatus()
    status.level, status.name, status.message = health.value, name, message
    status.hardware_id = hardware
    status.values = [KeyValue(key=key, value=_text(value)) for key, value in values.items()]
    array = DiagnosticArray()
    array.header.stamp = stamp
    array.status = [status]
    return array


def _text(value: float | int | str) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
