"""The text beside the scene: status messages as a small HTML table.

Messages are read by their fields; nothing here needs ROS.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from html import escape
from typing import Any

GOOD, BUSY, BAD, IDLE = "#12813e", "#c47f17", "#c0392b", "#7b8794"
SILENT_AFTER_S = 3.0
"""A status that is older is shown as silent: its values no longer say what is."""

PLANNER_STATES = {
    0: ("idle", IDLE),
    1: ("planning", GOOD),
    2: ("waiting for an observation", BUSY),
    3: ("loading a planner", BUSY),
    4: ("failed", BAD),
}
"""By the numbers of ``PlannerStatus``."""

EXECUTION_MODES = {
    0: ("idle", IDLE),
    1: ("tracking", GOOD),
    2: ("holding", BUSY),
    3: ("resting", BUSY),
    4: ("stopped", BAD),
}
"""By the numbers of ``ExecutionStatus``."""

BRIDGE_STATES = {
    0: ("disconnected", BAD),
    1: ("connecting", BUSY),
    2: ("connected, not ready", BUSY),
    3: ("ready", IDLE),
    4: ("active", GOOD),
    5: ("fault", BAD),
    6: ("engaging", BUSY),
    7: ("coming to rest", BUSY),
}
"""By the numbers of ``BridgeStatus``."""


@dataclass(slots=True)
class Section:
    """One block of the panel.

    Attributes:
        title: Its heading.
        state: One or two words.
        colour: Of the dot beside the state.
        rows: Names and values.
        notice: A sentence that needs attention, empty for none.
    """

    title: str
    state: str = "no status yet"
    colour: str = IDLE
    rows: list[tuple[str, str]] = field(default_factory=list)
    notice: str = ""


def planner_section(msg: Any) -> Section:
    """From a ``PlannerStatus``."""
    state, colour = PLANNER_STATES.get(int(msg.state), (f"state {msg.state}", BAD))
    rows = [
        ("planner", msg.planner or "-"),
        ("replan rate", f"{msg.replan_rate_hz:.1f} Hz"),
        ("planning p50 / p99", latency(msg.planning)),
        ("candidates feasible", f"{msg.feasible} of {msg.candidates}"),
        ("deadlines missed", f"{msg.deadlines_missed} of {msg.plans}"),
    ]
    return Section("Planner", state, colour, rows, msg.error)


def execution_section(msg: Any) -> Section:
    """From an ``ExecutionStatus``."""
    mode, colour = EXECUTION_MODES.get(int(msg.mode), (f"mode {msg.mode}", BAD))
    rows = [
        ("end to end p50 / p99", latency(msg.end_to_end)),
        ("plan age", f"{msg.plan_age_ms:.0f} ms" if msg.sequence else "-"),
        ("max command gap", f"{msg.max_command_gap_ms:.1f} ms"),
        ("gates", gate(msg)),
    ]
    # The last refusal stays in the message for good; it is news only while refusals go on.
    return Section("Execution", mode, colour, rows, msg.gate if msg.consecutive_errors else "")


def gate(msg: Any) -> str:
    """What the gates say of the plans: refused ones, and the code of the last refusal."""
    if not msg.refused_plans:
        return "all plans passed"
    return f"{msg.refused_plans} refused, last by E{msg.gate_code:03d}"


def bridge_section(msg: Any) -> Section:
    """From a ``BridgeStatus``."""
    state, colour = BRIDGE_STATES.get(int(msg.state), (f"state {msg.state}", BAD))
    if msg.emergency_stopped:
        state, colour = "emergency stop", BAD
    rows = [
        ("robot", msg.robot or "-"),
        ("battery", battery(msg.battery, msg.battery_voltage)),
        ("link", f"{share(msg.link_quality)}, {msg.link_age_ms:.0f} ms ago"),
        ("armed", "yes" if msg.armed else "no"),
    ]
    return Section("Robot", state, colour, rows, "; ".join(msg.reasons))


def silence(section: Section, age_s: float) -> Section:
    """The section of a status that came ``age_s`` ago, marked if that is too long."""
    if age_s <= SILENT_AFTER_S:
        return section
    return Section(section.title, f"silent for {age_s:.0f} s", BAD, section.rows, section.notice)


def panel_html(sections: list[Section]) -> str:
    """The panel; everything that comes from messages is escaped."""
    blocks = []
    head = "display:flex;justify-content:space-between"
    for section in sections:
        rows = "".join(
            f'<tr><td style="color:#7b8794">{escape(name)}</td>'
            f'<td style="text-align:right;font-variant-numeric:tabular-nums">{escape(value)}</td>'
            "</tr>"
            for name, value in section.rows
        )
        notice = (
            f'<div style="color:{BAD};margin-top:2px">{escape(section.notice)}</div>'
            if section.notice
            else ""
        )
        blocks.append(
            '<div style="margin-bottom:0.9em">'
            f'<div style="{head}"><b>{escape(section.title)}</b>'
            f'<span><span style="color:{section.colour}">●</span> {escape(section.state)}</span>'
            f'</div><table style="width:100%;border-collapse:collapse">{rows}</table>{notice}</div>'
        )
    body = "font-size:0.8em;line-height:1.5;padding:0.4em 0.8em"
    return f'<div style="{body}">{"".join(blocks)}</div>'


def latency(statistics: Any) -> str:
    """Median and 99th percentile of a ``LatencyStatistics``."""
    if not statistics.count:
        return "-"
    return f"{statistics.p50_ms:.1f} / {statistics.p99_ms:.1f} ms"


def battery(level: float, voltage: float) -> str:
    """Charge and voltage, as far as known."""
    known = [] if math.isnan(level) else [share(level)]
    known += [] if math.isnan(voltage) else [f"{voltage:.2f} V"]
    return ", ".join(known) or "unknown"


def share(value: float) -> str:
    """A share of one in per cent."""
    return "unknown" if math.isnan(value) else f"{value * 100:.0f} %"
