"""Whether the stamp of a measurement can be believed."""

from __future__ import annotations

from typing import Final

from planner_core.clock import nanoseconds, seconds
from planner_core.errors import FutureMeasurementError, LateMeasurementError

OLDEST_S: Final = 0.25
AHEAD_S: Final = 0.02
"""Clocks of two machines that are kept together differ by less."""


def require_timely(
    what: str, stamp_ns: int, now_ns: int, *,
    oldest_ns: int | None = nanoseconds(OLDEST_S), ahead_ns: int = nanoseconds(AHEAD_S),
) -> None:  # fmt: skip
    """Refuse a measurement of another time.

    Args:
        what: Names it.
        stamp_ns: When it was taken [ns].
        now_ns: Present time of the same clock [ns].
        oldest_ns: Greatest age; None for any.
        ahead_ns: Greatest time ahead.

    Raises:
        FutureMeasurementError: It is further ahead.
        LateMeasurementError: It is older.
    """
    age_ns = now_ns - stamp_ns
    if -age_ns > ahead_ns:
        raise FutureMeasurementError(
            f"{what} from the future", got=f"{seconds(-age_ns):.4f} s ahead",
            expected=f"at most {seconds(ahead_ns)} s",
            remedy="Synchronise the clocks of sensor and robot.",
        )  # fmt: skip
    if oldest_ns is not None and age_ns > oldest_ns:
        raise LateMeasurementError(
            f"late {what}", got=f"{seconds(age_ns):.4f} s old",
            expected=f"at most {seconds(oldest_ns)} s",
        )  # fmt: skip
