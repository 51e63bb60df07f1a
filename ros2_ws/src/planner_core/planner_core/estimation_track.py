"""Estimation as a fold: what is known after an event follows from what was known before it.

A `Track` is everything that is known at one time. It is a value, and each step from one to the next
depends on nothing else, so that a late measurement can be put in its place and everything after it
be done again, with the very result that it would have had in time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from planner_core.clock import nanoseconds, seconds
from planner_core.error_state_filter import (
    GRAVITY,
    POSITION,
    RATE_BIAS,
    ROTATION,
    VELOCITY,
    Biases,
    ErrorStateFilter,
    FilterState,
)
from planner_core.estimation import (
    EstimatorCounters,
    EstimatorStatus,
    ImuSample,
    Measurement,
    StateEstimate,
)
from planner_core.estimation_rotations import from_euler, matrix, to_euler, yaw_row
from planner_core.estimation_settings import EstimatorSettings
from planner_core.plan import Array
from scipy.special import chdtri

MAX_STEP_S: Final = 0.01
"""Longest step of the integration; a longer one would miss how errors couple."""
LEVEL_DEVIATION_RAD: Final = 0.1
"""Of roll and pitch at start, where only gravity or nothing tells them."""
RATE_AVERAGING_S: Final = 0.01
"""Over which the noise of a published turn rate is meant."""


@dataclass(frozen=True, slots=True, eq=False)
class Rejections:
    """Positions in a row that the gate kept out, and that agree with each other.

    Attributes:
        count: How many.
        stamp_ns: Of the last one.
        position: (3,) [m] of the last one.
    """

    count: int
    stamp_ns: int
    position: Array


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """Everything that is known at one time.

    Attributes:
        time_ns: That time.
        state: Mean and covariance; None before the first position.
        biases: Of the inertial sensor, kept aside while there are no readings, else None.
        reading: The newest IMU reading, None if there never was one.
        measured_ns: Stamp of the newest measurement or reading in the state.
        position_ns: Stamp of the newest position in the state.
        converged: Whether the state was accurate once since it was started.
        rejections: Positions that wait to be believed.
        counters: What became of the measurements.
    """

    time_ns: int
    state: FilterState | None
    biases: Biases | None
    reading: ImuSample | None = None
    measured_ns: int = 0
    position_ns: int = 0
    converged: bool = False
    rejections: Rejections | None = None
    counters: EstimatorCounters = field(default_factory=EstimatorCounters)


class Tracker:
    """The steps from track to track.

    Args:
        settings: Noise, gates and time limits.
    """

    def __init__(self, settings: EstimatorSettings) -> None:
        self._settings = settings
        self._filter = ErrorStateFilter(settings)
        self._gates = {n: float(chdtri(n, 1.0 - settings.gate_probability)) for n in (3, 6, 9)}
        self._imu_timeout_ns = nanoseconds(settings.imu_timeout_s)
        self._max_prediction_ns = nanoseconds(settings.max_prediction_s)

    def blank(self) -> Track:
        """Knowing nothing."""
        return Track(0, None, self._filter.initial_biases())

    # Time passes.

    def advanced(self, track: Track, time_ns: int, following: ImuSample | None = None) -> Track:
        """What is known at a later time without any further measurement.

        Beyond ``max_prediction_s`` from the last position the state stands still: whatever were
        integrated there would be fiction.

        Args:
            track: At an earlier time.
            time_ns: The later time [ns].
            following: The reading at that time, if there is one: what was measured at both ends of
                an interval says more about it than its beginning.
        """
        state, biases = track.state, track.biases
        if state is None:
            return replace(track, time_ns=time_ns)
        now_ns = track.time_ns
        end_ns = min(time_ns, track.position_ns + self._max_prediction_ns)
        reading = track.reading
        if reading is not None and biases is None:
            held_ns = min(end_ns, reading.stamp_ns + self._imu_timeout_ns)
            force, rate = reading.acceleration, reading.rate
            if following is not None:
                force = 0.5 * (force + following.acceleration)
                rate = 0.5 * (rate + following.rate)
            while now_ns < held_ns:
                dt_ns = min(held_ns - now_ns, int(MAX_STEP_S * 1e9))
                state = self._filter.propagate(state, force, rate, seconds(dt_ns))
                now_ns += dt_ns
            if now_ns < end_ns:
                state, biases = self._filter.without_readings(
                    state, reading.acceleration, reading.rate
                )
        while now_ns < end_ns:
            dt_ns = min(end_ns - now_ns, int(MAX_STEP_S * 1e9))
            state = self._filter.coast(state, seconds(dt_ns))
            now_ns += dt_ns
        return replace(track, time_ns=time_ns, state=state, biases=biases)

    # Something was measured.

    def after(self, track: Track, event: ImuSample | Measurement) -> Track:
        """What is known once an event, not earlier than the track, was taken in."""
        if isinstance(event, ImuSample):
            return self._after_reading(track, event)
        return self._after_measurement(self.advanced(track, event.stamp_ns), event)

    def _after_reading(self, track: Track, reading: ImuSample) -> Track:
        track = self.advanced(track, reading.stamp_ns, reading)
        state, biases = track.state, track.biases
        if state is None:
            return replace(track, reading=reading)
        if biases is not None:
            last = track.reading
            away_ns = reading.stamp_ns - last.stamp_ns if last is not None else 0
            state = self._filter.with_readings(state, biases, seconds(away_ns))
        return replace(
            track, state=state, biases=None, reading=reading, measured_ns=reading.stamp_ns
        )

    def _after_measurement(self, track: Track, measurement: Measurement) -> Track:
        state = track.state
        if state is None or (
            measurement.position is not None and self.status(track) is EstimatorStatus.DIVERGED
        ):
            return self._initialised(track, measurement)
        innovation = self._filter.innovation(state, measurement)
        dimension = len(innovation.residual)
        counters = replace(track.counters, distance=innovation.distance / dimension)
        # Written so that NaN is kept out.
        if not innovation.distance <= self._gates[dimension]:
            rejected = replace(
                track,
                rejections=self._rejections(track.rejections, measurement),
                counters=replace(counters, rejected=counters.rejected + 1),
            )
            if rejected.rejections is None:
                return rejected
            if rejected.rejections.count < self._settings.max_rejections:
                return rejected
            return self._initialised(rejected, measurement)
        state = self._filter.correct(state, innovation)
        has_position = measurement.position is not None
        return replace(
            track,
            state=state,
            measured_ns=max(track.measured_ns, measurement.stamp_ns),
            position_ns=measurement.stamp_ns if has_position else track.position_ns,
            converged=track.converged or self._is_accurate(state),
            rejections=None if has_position else track.rejections,
            counters=replace(counters, accepted=counters.accepted + 1),
        )

    def _rejections(self, before: Rejections | None, measurement: Measurement) -> Rejections | None:
        position, stamp_ns = measurement.position, measurement.stamp_ns
        if position is None:
            return before
        count = 1
        if before is not None:
            reach = self._settings.max_speed_m_s * seconds(stamp_ns - before.stamp_ns)
            reach += 4.0 * measurement.position_deviation
            # Reflections jump about; a robot that was moved does not.
            if float(np.linalg.norm(position - before.position)) <= reach:
                count += before.count
        return Rejections(count, stamp_ns, position)

    def _initialised(self, track: Track, measurement: Measurement) -> Track:
        """Start from one measurement; the sensor's biases outlive the rest."""
        if measurement.position is None:
            return track
        s, m = self._settings, measurement
        if m.orientation is None:
            orientation, turn_deviation = self._guessed_orientation(track)
        else:
            orientation, turn_deviation = m.orientation, np.full(3, m.orientation_deviation)
        velocity = np.zeros(3) if m.velocity is None else m.velocity
        speed_deviation = s.initial_speed_m_s if m.velocity is None else m.velocity_deviation
        deviation = np.concatenate(
            [np.full(3, m.position_deviation), np.full(3, speed_deviation), turn_deviation]
        )
        biases = track.biases
        if biases is None:
            assert track.state is not None
            state = track.state
            biases = Biases(
                state.acceleration_bias, state.rate_bias,
                state.covariance[9:, 9:].copy(),
            )  # fmt: skip
        assert m.position is not None
        fresh = self._filter.initial(m.position, orientation, velocity, deviation, biases)
        reading, aside = track.reading, None
        if reading is None or m.stamp_ns - reading.stamp_ns > self._imu_timeout_ns:
            # As if it had stood still: the force that holds it, and no turn.
            upright = matrix(orientation).T @ -GRAVITY
            fresh, aside = self._filter.without_readings(
                fresh, upright + biases.acceleration, biases.rate
            )
        counters = track.counters
        return Track(
            time_ns=track.time_ns,
            state=fresh,
            biases=aside,
            reading=reading,
            measured_ns=max(track.measured_ns, m.stamp_ns),
            position_ns=m.stamp_ns,
            converged=self._is_accurate(fresh),
            counters=replace(
                counters,
                accepted=counters.accepted + 1,
                initialisations=counters.initialisations + 1,
            ),
        )

    def _guessed_orientation(self, track: Track) -> tuple[Array, Array]:
        """An orientation that was not measured (4,), and its deviation (3,) [rad, body].

        Roll and pitch come from gravity where it is felt, yaw from how the robot was set down, or
        how it was last seen.
        """
        s, state, lost_s = self._settings, track.state, self._lost_s(track)
        if state is not None and lost_s == 0.0:
            return state.orientation, np.hypot(state.deviation(ROTATION), LEVEL_DEVIATION_RAD)
        yaw, yaw_deviation = s.initial_yaw_rad, s.initial_yaw_deviation_rad
        if state is not None:
            yaw = to_euler(state.orientation)[2]
            yaw_deviation = min(yaw_deviation + s.unmeasured_rate_rad_s * lost_s, 1.0)
        roll = pitch = 0.0
        if track.reading is not None:
            x, y, z = track.reading.acceleration.tolist()
            roll, pitch = math.atan2(y, z), math.atan2(-x, math.hypot(y, z))
        # The body's z is near the world's: its last error is that of yaw.
        deviation = np.array([LEVEL_DEVIATION_RAD, LEVEL_DEVIATION_RAD, yaw_deviation])
        return from_euler(roll, pitch, yaw), deviation

    # How good it is.

    def _lost_s(self, track: Track) -> float:
        """For how long the state stands still, because its last position is too old [s]."""
        return seconds(max(track.time_ns - track.position_ns - self._max_prediction_ns, 0))

    def _is_accurate(self, state: FilterState) -> bool:
        s = self._settings
        row = yaw_row(state.orientation)
        yaw_variance = float(row @ state.covariance[ROTATION, ROTATION] @ row)
        return bool(
            (state.deviation(POSITION) < s.converged_position_m).all()
            and (state.deviation(VELOCITY) < s.converged_velocity_m_s).all()
            and yaw_variance < s.converged_yaw_rad**2
        )

    def status(self, track: Track) -> EstimatorStatus:
        """How far the state may be trusted at the track's time."""
        state, s = track.state, self._settings
        if state is None:
            return EstimatorStatus.CONVERGING
        age_ns = track.time_ns - track.position_ns
        # Written so that NaN counts as diverged.
        if not (state.deviation(POSITION) <= s.diverged_position_m).all():
            return EstimatorStatus.DIVERGED
        if age_ns > self._max_prediction_ns:
            return EstimatorStatus.DIVERGED
        if not track.converged:
            return EstimatorStatus.CONVERGING
        if track.reading is not None:
            age_ns = max(age_ns, track.time_ns - track.reading.stamp_ns)
        if seconds(age_ns) > s.source_timeout_s:
            return EstimatorStatus.DEGRADED
        return EstimatorStatus.VALID

    def estimate(self, track: Track) -> StateEstimate | None:
        """The track as others see it."""
        state, reading = track.state, track.reading
        if state is None:
            return None
        covariance = state.covariance[:9, :9]
        if (lost_s := self._lost_s(track)) > 0.0:
            # It may be wherever it could have flown to meanwhile.
            s = self._settings
            reach = [s.max_speed_m_s * lost_s, s.max_speed_m_s, s.unmeasured_rate_rad_s * lost_s]
            covariance = covariance + np.diag(np.repeat(np.square(reach), 3))
        rate_variance = state.covariance.diagonal()[RATE_BIAS]
        if track.biases is None:
            assert reading is not None
            rate = reading.rate - state.rate_bias
            force = reading.acceleration - state.acceleration_bias
            acceleration = matrix(state.orientation) @ force + GRAVITY
            noise = self._settings.gyroscope_noise_density**2 / RATE_AVERAGING_S
            rate_variance = rate_variance + noise
        else:
            rate = -state.rate_bias
            acceleration = matrix(state.orientation) @ -state.acceleration_bias
        return StateEstimate(
            time_ns=track.time_ns,
            measured_ns=track.measured_ns,
            status=self.status(track),
            position=state.position,
            velocity=state.velocity,
            orientation=state.orientation,
            rate=rate,
            acceleration=acceleration,
            covariance=covariance,
            rate_deviation=np.sqrt(rate_variance),
        )
