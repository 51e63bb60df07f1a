"""Diagnostics as messages."""

from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticStatus
from planner_ros.diagnostics import Health, diagnostics_msg


def test_figures_become_text() -> None:
    values = {"period_error_p99_ms": 0.123456789, "plans": 7, "planner": "one_step"}
    msg = diagnostics_msg(Time(sec=3), "server: planning", Health.WARNING, "late", values)
    (status,) = msg.status
    assert msg.header.stamp.sec == 3
    assert status.level == DiagnosticStatus.WARN
    assert {value.key: value.value for value in status.values} == {
        "period_error_p99_ms": "0.123457",
        "plans": "7",
        "planner": "one_step",
    }
