"""An estimator that takes measurements late and out of order: it remembers, and does it again.

Events are kept in the order of their stamps, each with the track after it. One that comes late goes
to its place, and what follows is folded anew when the state is next asked for; several late ones
between two questions cost one such replay.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Final

from planner_core.clock import nanoseconds, seconds
from planner_core.errors import LateMeasurementError, MeasurementOrderError
from planner_core.estimation import (
    EstimatorCounters,
    ImuSample,
    Measurement,
    StateEstimate,
)
from planner_core.estimation_settings import EstimatorSettings
from planner_core.estimation_track import Track, Tracker
from planner_core.stamps import require_timely

MAX_PENDING: Final = 256
"""Events that may wait for a question; more are folded unasked, so that the memory stays small."""

# Stamp, kind, source: readings come before measurements of the same time.
_Key = tuple[int, int, str]


class ReplayingEstimator:
    """An error-state Kalman filter with a memory; a `planner_core.estimation.StateEstimator`.

    Args:
        settings: Noise, gates and time limits.
    """

    def __init__(self, settings: EstimatorSettings) -> None:
        self._tracker = Tracker(settings)
        self._history_ns = nanoseconds(settings.history_s)
        self._tolerance_ns = nanoseconds(settings.future_tolerance_s)
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._base = self._tracker.blank()
        self._keys: list[_Key] = []
        self._events: list[ImuSample | Measurement] = []
        self._tracks: list[Track] = []  # of the first events; the others are still to be folded
        self._now_ns = 0
        self._reading_ns: int | None = None

    @property
    def counters(self) -> EstimatorCounters:
        """What became of the measurements."""
        return self._newest().counters

    def add_imu(self, sample: ImuSample, now_ns: int) -> None:
        """Take in a reading.

        Raises:
            EstimationError: It is from the future, too late, or not newer than the last one.
        """
        self._admit("IMU reading", sample.stamp_ns, now_ns)
        last_ns = self._reading_ns
        if last_ns is not None and sample.stamp_ns <= last_ns:
            raise MeasurementOrderError(
                "IMU reading", got=f"one {seconds(last_ns - sample.stamp_ns):.4f} s older than the "
                "last", expected="newer than the last",
            )  # fmt: skip
        self._insert((sample.stamp_ns, 0, ""), sample)
        self._reading_ns = sample.stamp_ns

    def add_measurement(self, measurement: Measurement, now_ns: int) -> None:
        """Take in a measurement, also late and out of order.

        Raises:
            EstimationError: It is from the future, too late, or came twice.
        """
        self._admit(measurement.source, measurement.stamp_ns, now_ns)
        key = (measurement.stamp_ns, 1, measurement.source)
        at = bisect_left(self._keys, key)
        if at < len(self._keys) and self._keys[at] == key:
            raise MeasurementOrderError(
                measurement.source, got="two measurements of one stamp", expected="one"
            )
        self._insert(key, measurement)

    def estimate(self, time_ns: int) -> StateEstimate | None:
        """The state, predicted to a time; None before the first position.

        Raises:
            LateMeasurementError: The time lies before what is remembered.
        """
        self._settle()
        at = bisect_right(self._keys, time_ns, key=lambda key: key[0])
        track = self._tracks[at - 1] if at > 0 else self._base
        if track.time_ns > time_ns:
            raise LateMeasurementError(
                "estimate of the past", got=f"{seconds(track.time_ns - time_ns):.3f} s too early",
                expected=f"within the last {seconds(self._history_ns)} s",
            )  # fmt: skip
        return self._tracker.estimate(self._tracker.advanced(track, time_ns))

    def _admit(self, what: str, stamp_ns: int, now_ns: int) -> None:
        self._observe_clock(now_ns)
        # No later than the memory reaches back.
        oldest_ns = min(self._history_ns, now_ns - self._base.time_ns)
        require_timely(what, stamp_ns, now_ns, oldest_ns=oldest_ns, ahead_ns=self._tolerance_ns)

    def _observe_clock(self, now_ns: int) -> None:
        # Set back by less than the memory, stamps soon fit again; by more, they would all be late.
        if now_ns < self._now_ns - self._history_ns:
            self.reset()
        self._now_ns = max(self._now_ns, now_ns)

    def _insert(self, key: _Key, event: ImuSample | Measurement) -> None:
        at = bisect_left(self._keys, key)
        self._keys.insert(at, key)
        self._events.insert(at, event)
        del self._tracks[at:]
        if len(self._events) - len(self._tracks) > MAX_PENDING:
            self._settle()

    def _settle(self) -> None:
        """Fold what is new, and forget what is old."""
        track = self._newest()
        for event in self._events[len(self._tracks) :]:
            track = self._tracker.after(track, event)
            self._tracks.append(track)
        horizon_ns = self._now_ns - self._history_ns
        old = bisect_left(self._keys, horizon_ns, key=lambda key: key[0])
        if old > 0:
            self._base = self._tracks[old - 1]
            del self._keys[:old], self._events[:old], self._tracks[:old]

    def _newest(self) -> Track:
        return self._tracks[-1] if self._tracks else self._base


def error_state_filter(settings: EstimatorSettings) -> ReplayingEstimator:
    """The built-in estimator, as its entry point makes it."""
    return ReplayingEstimator(settings)
