"""The planner server's figures as diagnostics."""

from __future__ import annotations

from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray
from planner_core.monitor import PlannerReport, PlannerState
from planner_ros.diagnostics import Health, diagnostics_msg

_HEALTH = {
    PlannerState.IDLE: Health.OK,
    PlannerState.PLANNING: Health.OK,
    PlannerState.WAITING: Health.WARNING,
    PlannerState.LOADING: Health.WARNING,
    PlannerState.FAILED: Health.ERROR,
}


def diagnostics(
    report: PlannerReport, stamp: Time, node: str, *, planner: str, robot: str
) -> DiagnosticArray:
    """What the planner server knows of its work.

    Args:
        report: Its figures.
        stamp: ROS time at which they hold.
        node: Name of the server.
        planner: The planner in use, empty for none.
        robot: Robot that is planned for.
    """
    values: dict[str, float | int | str] = {
        "planner": planner,
        "loading": report.loading,
        "replan_rate_hz": report.replan_rate_hz,
        "plans": report.plans,
        "deadlines_missed": report.deadlines_missed,
        "consecutive_errors": report.consecutive_errors,
        "plan_age_ms": report.observation_age_s * 1e3,
        "lead_ms": report.lead_s * 1e3,
        "delay_ms": report.delay_s * 1e3,
        "selection": report.selection,
    }
    for name, summary in (("planning", report.planning), ("end_to_end", report.end_to_end)):
        for q in ("p50", "p90", "p99", "max"):
            values[f"{name}_{q}_ms"] = getattr(summary, f"{q}_s") * 1e3
    message = report.error or report.state.name.lower()
    return diagnostics_msg(
        stamp, f"{node}: planning", _HEALTH[report.state], message, values, hardware=robot
    )
