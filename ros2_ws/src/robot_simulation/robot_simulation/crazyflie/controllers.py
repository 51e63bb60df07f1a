"""The firmware's cascade: position, velocity, attitude and rate loops down to rotor thrusts.

The structure, rates and limits are those of the vehicle's PID controller; gains are in SI units
and have the closed-loop bandwidths of the vehicle's stock gains. Beyond the stock PID, velocity
and acceleration of a setpoint are fed forward, as the vehicle's model-based controllers do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from robot_simulation.crazyflie.airframe import (
    GRAVITY_M_S2,
    ROTOR_SIDES,
    ROTOR_YAW_SIGNS,
    ROTORS,
    Airframe,
)
from robot_simulation.crazyflie.rotation import Vector, to_euler, wrapped
from robot_simulation.crazyflie.setpoint import Heading, Horizontal, Setpoint, Vertical
from robot_simulation.crazyflie.state import Estimate

Thrusts = tuple[float, float, float, float]


@dataclass(slots=True)
class ControllerGains:
    """Gains and limits; parameters of the firmware are bound to these fields.

    Attributes:
        position: Speed asked per metre of error [1/s].
        max_speed_xy_m_s: Limit of the horizontal position loop's output.
        max_speed_z_m_s: Limit of the vertical one.
        velocity_xy: Acceleration asked per speed error [1/s].
        velocity_xy_integral: Per integrated speed error [1/s^2].
        velocity_z: As ``velocity_xy``.
        velocity_z_integral: As ``velocity_xy_integral``.
        max_roll_deg: Limit of the roll that the velocity loop may ask for.
        max_pitch_deg: The same for pitch.
        min_thrust: Smallest collective thrust in position control, as a fraction of full.
        attitude: Body rate asked per angle error [1/s].
        attitude_yaw: The same for yaw.
        rate: Angular acceleration per roll or pitch rate error [1/s].
        rate_integral: Per integrated rate error [1/s^2].
        rate_damping: Angular acceleration per measured angular acceleration [-].
        rate_yaw: As ``rate``.
        rate_yaw_integral: As ``rate_integral``.
        assumed_mass_kg: The firmware's mass, two grams above the bare vehicle; the vertical
            integrator takes up the difference.
    """

    position: float = 2.0
    max_speed_xy_m_s: float = 1.0
    max_speed_z_m_s: float = 1.0
    velocity_xy: float = 4.3
    velocity_xy_integral: float = 0.4
    velocity_z: float = 6.8
    velocity_z_integral: float = 4.0
    max_roll_deg: float = 20.0
    max_pitch_deg: float = 20.0
    min_thrust: float = 0.15
    attitude: float = 6.0
    attitude_yaw: float = 4.0
    rate: float = 100.0
    rate_integral: float = 200.0
    rate_damping: float = 1.0
    rate_yaw: float = 10.0
    rate_yaw_integral: float = 2.0
    assumed_mass_kg: float = 0.029


@dataclass(slots=True)
class _Cascade:
    """What the loops remember between calls."""

    velocity_integral: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
    rate_integral: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
    last_rates: Vector = (0.0, 0.0, 0.0)
    angular_acceleration: list[float] = field(default_factory=lambda: [0.0, 0.0])
    yaw_rad: float = 0.0
    roll_rad: float = 0.0
    pitch_rad: float = 0.0
    thrust_n: float = 0.0


def _clamped(value: float, limit: float) -> float:
    return max(-limit, min(limit, value))


class CascadedController:
    """From a setpoint and the on-board estimate to four rotor thrusts.

    Args:
        airframe: Gives inertia, rotor geometry and full thrust.
        gains: Read on every call, so that parameters take effect at once.
    """

    VELOCITY_INTEGRAL_LIMIT_M = 1.0
    RATE_INTEGRAL_LIMIT_RAD = 0.3
    MAX_YAW_LEAD_RAD = 0.5
    """How far the commanded heading may run ahead of the vehicle in yaw-rate mode."""
    DAMPING_FILTER = 0.3
    """Share of a new sample in the angular acceleration; below 1 it keeps gyro noise out."""

    def __init__(self, airframe: Airframe, gains: ControllerGains) -> None:
        self._airframe = airframe
        self._gains = gains
        self._full_thrust_n = ROTORS * airframe.max_thrust_n
        self._memory = _Cascade()

    def reset(self, yaw_rad: float) -> None:
        """Forget the past: integrators to zero, the commanded heading to the present one."""
        self._memory = _Cascade(yaw_rad=yaw_rad)

    def update_position(self, setpoint: Setpoint, estimate: Estimate, dt_s: float) -> None:
        """Run the position and velocity loops (100 Hz): sets tilt, heading and thrust.

        Args:
            setpoint: What is asked.
            estimate: The on-board estimate.
            dt_s: Time since the last call.
        """
        memory, gains = self._memory, self._gains
        yaw = estimate.yaw_rad
        self._update_heading(setpoint, yaw, dt_s)
        if setpoint.vertical is Vertical.THRUST:
            memory.thrust_n = setpoint.thrust * self._full_thrust_n
        if setpoint.horizontal in (Horizontal.TILT, Horizontal.TILT_RATE):
            memory.roll_rad, memory.pitch_rad = setpoint.roll_rad, setpoint.pitch_rad
            memory.velocity_integral[0] = memory.velocity_integral[1] = 0.0
        else:
            ax, ay = self._horizontal_acceleration(setpoint, estimate, dt_s)
            c, s = math.cos(yaw), math.sin(yaw)
            forward, left = c * ax + s * ay, -s * ax + c * ay
            memory.pitch_rad = _clamped(
                math.atan(forward / GRAVITY_M_S2), math.radians(gains.max_pitch_deg)
            )
            memory.roll_rad = _clamped(
                -math.atan(left / GRAVITY_M_S2), math.radians(gains.max_roll_deg)
            )
        if setpoint.vertical is not Vertical.THRUST:
            memory.thrust_n = self._vertical_thrust(setpoint, estimate, dt_s)

    def _update_heading(self, setpoint: Setpoint, yaw: float, dt_s: float) -> None:
        memory = self._memory
        if setpoint.heading is Heading.ANGLE:
            memory.yaw_rad = setpoint.yaw_rad
            return
        ahead = wrapped(memory.yaw_rad + setpoint.rates[2] * dt_s - yaw)
        memory.yaw_rad = yaw + _clamped(ahead, self.MAX_YAW_LEAD_RAD)

    def _horizontal_acceleration(
        self, setpoint: Setpoint, estimate: Estimate, dt_s: float
    ) -> tuple[float, float]:
        gains, integral = self._gains, self._memory.velocity_integral
        vx, vy = setpoint.velocity[:2]
        if setpoint.horizontal is Horizontal.POSITION:
            ex = gains.position * (setpoint.position[0] - estimate.position[0])
            ey = gains.position * (setpoint.position[1] - estimate.position[1])
            # Limited as a vector: a limit an axis would bend the way to a distant goal.
            scale = gains.max_speed_xy_m_s / max(gains.max_speed_xy_m_s, math.hypot(ex, ey))
            vx, vy = vx + scale * ex, vy + scale * ey
        elif setpoint.horizontal is Horizontal.BODY_VELOCITY:
            c, s = math.cos(estimate.yaw_rad), math.sin(estimate.yaw_rad)
            vx, vy = c * vx - s * vy, s * vx + c * vy
        error_x, error_y = vx - estimate.velocity[0], vy - estimate.velocity[1]
        limit = self.VELOCITY_INTEGRAL_LIMIT_M
        integral[0] = _clamped(integral[0] + error_x * dt_s, limit)
        integral[1] = _clamped(integral[1] + error_y * dt_s, limit)
        return (
            setpoint.acceleration[0]
            + gains.velocity_xy * error_x
            + gains.velocity_xy_integral * integral[0],
            setpoint.acceleration[1]
            + gains.velocity_xy * error_y
            + gains.velocity_xy_integral * integral[1],
        )

    def _vertical_thrust(self, setpoint: Setpoint, estimate: Estimate, dt_s: float) -> float:
        gains, integral = self._gains, self._memory.velocity_integral
        vz = setpoint.velocity[2]
        if setpoint.vertical is Vertical.POSITION:
            climb = gains.position * (setpoint.position[2] - estimate.position[2])
            vz += _clamped(climb, gains.max_speed_z_m_s)
        error = vz - estimate.velocity[2]
        integral[2] = _clamped(integral[2] + error * dt_s, self.VELOCITY_INTEGRAL_LIMIT_M)
        acceleration = (
            GRAVITY_M_S2
            + setpoint.acceleration[2]
            + gains.velocity_z * error
            + gains.velocity_z_integral * integral[2]
        )
        roll, pitch, _ = estimate.euler
        upright = max(0.5, math.cos(roll) * math.cos(pitch))
        thrust = gains.assumed_mass_kg * acceleration / upright
        return max(gains.min_thrust * self._full_thrust_n, min(self._full_thrust_n, thrust))

    def update_attitude(self, setpoint: Setpoint, estimate: Estimate, dt_s: float) -> Thrusts:
        """Run the attitude and rate loops (500 Hz).

        Args:
            setpoint: What is asked.
            estimate: The on-board estimate.
            dt_s: Time since the last call.

        Returns:
            (4,) [N] rotor thrusts.
        """
        memory, gains = self._memory, self._gains
        if setpoint.motors_off or memory.thrust_n <= 0.0:
            self.reset(estimate.yaw_rad)
            return (0.0, 0.0, 0.0, 0.0)
        roll, pitch, yaw = to_euler(estimate.attitude)
        if setpoint.horizontal is Horizontal.TILT_RATE:
            p, q = setpoint.rates[0], setpoint.rates[1]
        else:
            p = gains.attitude * (memory.roll_rad - roll)
            q = gains.attitude * (memory.pitch_rad - pitch)
        r = gains.attitude_yaw * wrapped(memory.yaw_rad - yaw)
        if setpoint.heading is Heading.RATE:
            r += setpoint.rates[2]
        return self._mixed(memory.thrust_n, self._torques((p, q, r), estimate.rates, dt_s))

    def _torques(self, wanted: Vector, rates: Vector, dt_s: float) -> Vector:
        memory, gains = self._memory, self._gains
        integral, slope = memory.rate_integral, memory.angular_acceleration
        limit = self.RATE_INTEGRAL_LIMIT_RAD
        last = memory.last_rates
        memory.last_rates = rates
        angular = []
        for axis in (0, 1):
            error = wanted[axis] - rates[axis]
            integral[axis] = _clamped(integral[axis] + error * dt_s, limit)
            measured = (rates[axis] - last[axis]) / dt_s
            slope[axis] += self.DAMPING_FILTER * (measured - slope[axis])
            angular.append(
                gains.rate * error
                + gains.rate_integral * integral[axis]
                - gains.rate_damping * slope[axis]
            )
        error = wanted[2] - rates[2]
        integral[2] = _clamped(integral[2] + error * dt_s, limit)
        angular.append(gains.rate_yaw * error + gains.rate_yaw_integral * integral[2])
        jx, jy, jz = self._airframe.inertia_kg_m2
        return (jx * angular[0], jy * angular[1], jz * angular[2])

    def _mixed(self, thrust_n: float, torques: Vector) -> Thrusts:
        """Share thrust and torques among the rotors; where they saturate, attitude wins."""
        arm = ROTORS * self._airframe.rotor_offset_m
        lever = ROTORS * self._airframe.torque_per_thrust_m
        roll, pitch, yaw = torques[0] / arm, torques[1] / arm, torques[2] / lever
        shares = [
            thrust_n / ROTORS + side_y * roll - side_x * pitch + spin * yaw
            for (side_x, side_y), spin in zip(ROTOR_SIDES, ROTOR_YAW_SIGNS, strict=True)
        ]
        ceiling = self._airframe.max_thrust_n
        excess = max(0.0, max(shares) - ceiling)
        a, b, c, d = (min(ceiling, max(0.0, share - excess)) for share in shares)
        return (a, b, c, d)
