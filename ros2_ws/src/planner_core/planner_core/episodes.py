"""The figures of many flights: what a benchmark through the graph reports."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

PUBLISHED = {
    "success rate": "0.94",
    "time to success p50 [s]": "12.0",
    "replan rate [Hz]": "38",
    "planner p50 [ms]": "8",
    "end to end p50 [ms]": "26",
}
"""Source: Keyed Drifting Policies, Table VII, navigation of a real Crazyflie, K = 64."""


@dataclass(frozen=True, slots=True)
class EpisodeResult:
    """How one flight ended.

    Attributes:
        seed: Names the world.
        outcome: ``success``, or the name of what ended it.
        duration_s: From the first motion to the arrival or the end.
    """

    seed: int
    outcome: str
    duration_s: float


@dataclass(slots=True)
class EpisodeFigures:
    """Collects what the flights of a benchmark measure.

    Attributes:
        flights: One result a flight.
        planning_ms: One value a plan: time of the generator.
        end_to_end_ms: One value a plan: from its measurement to the first command made of it.
        replan_hz: One value a flight.
        max_command_gap_ms: The longest time between two commands of any flight.
    """

    flights: list[EpisodeResult] = field(default_factory=list)
    planning_ms: list[float] = field(default_factory=list)
    end_to_end_ms: list[float] = field(default_factory=list)
    replan_hz: list[float] = field(default_factory=list)
    max_command_gap_ms: float = 0.0

    def report(self) -> dict[str, Any]:
        """The figures, in the form of the report file."""
        times = [f.duration_s for f in self.flights if f.outcome == "success"]
        return {
            "episodes": len(self.flights),
            "success_rate": len(times) / len(self.flights) if self.flights else 0.0,
            "time_to_success_s": {"p50": _percentile(times, 50)},
            "replan_hz": float(np.mean(self.replan_hz)) if self.replan_hz else 0.0,
            "planner_ms": {q: _percentile(self.planning_ms, int(q[1:])) for q in ("p50", "p99")},
            "end_to_end_ms": {
                q: _percentile(self.end_to_end_ms, int(q[1:])) for q in ("p50", "p99")
            },
            "max_command_gap_ms": self.max_command_gap_ms,
            "flights": [
                {"seed": f.seed, "outcome": f.outcome, "duration_s": round(f.duration_s, 3)}
                for f in self.flights
            ],
        }

    def table(self) -> str:
        """The figures beside the published ones, as text."""
        report = self.report()
        rows = {
            "episodes": str(report["episodes"]),
            "success rate": f"{report['success_rate']:.2f}",
            "time to success p50 [s]": _number(report["time_to_success_s"]["p50"]),
            "replan rate [Hz]": _number(report["replan_hz"]),
            "planner p50 [ms]": _number(report["planner_ms"]["p50"]),
            "planner p99 [ms]": _number(report["planner_ms"]["p99"]),
            "end to end p50 [ms]": _number(report["end_to_end_ms"]["p50"]),
            "end to end p99 [ms]": _number(report["end_to_end_ms"]["p99"]),
            "longest command gap [ms]": _number(report["max_command_gap_ms"]),
        }
        lines = [f"{'':<26}{'here':>8}{'published':>11}"]
        lines += [f"{k:<26}{v:>8}{PUBLISHED.get(k, ''):>11}" for k, v in rows.items()]
        return "\n".join(lines)


def _percentile(values: list[float], q: int) -> float | None:
    return round(float(np.percentile(values, q)), 3) if values else None


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
