"""The firmware's log variables and parameters, by the names that clients know.

Units on the wire are the vehicle's: degrees, units of gravity, volts. Pitch is positive nose up in
``stateEstimate`` and ``stabilizer``, unlike everywhere else.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from operator import itemgetter
from typing import TYPE_CHECKING

from robot_simulation.crazyflie.airframe import GRAVITY_M_S2
from robot_simulation.crazyflie.log_service import LogType, LogVariable
from robot_simulation.crazyflie.param_service import Parameter, ParamType
from robot_simulation.crazyflie.setpoint_packets import compressed_quaternion
from robot_simulation.crazyflie.supervisor import SupervisorInfo

if TYPE_CHECKING:
    from robot_simulation.crazyflie.firmware import Firmware

_BATTERY, _LOW_POWER = 0, 3
_FULL_PWM = 65535.0


def _vector(
    group: str, names: str, read: Callable[[], tuple[float, ...]], scale: float = 1.0
) -> list[LogVariable]:
    """Float variables ``group.name`` for the components of a vector."""

    def component(index: int) -> Callable[[], float]:
        pick = itemgetter(index)
        return lambda: scale * pick(read())

    return [
        LogVariable(f"{group}.{name}", LogType.FLOAT, component(index))
        for index, name in enumerate(names.split())
    ]


def _millimetres(names: str, read: Callable[[], tuple[float, ...]]) -> list[LogVariable]:
    return [
        LogVariable(variable.name, LogType.I16, variable.read)
        for variable in _vector("stateEstimateZ", names, read, 1000.0)
    ]


def log_variables(firmware: Firmware) -> list[LogVariable]:
    """Everything that a client can log."""

    def angles() -> tuple[float, ...]:
        roll, pitch, yaw = firmware.estimator.estimate.euler
        return (math.degrees(roll), -math.degrees(pitch), math.degrees(yaw))

    def quaternion() -> tuple[float, ...]:
        w, x, y, z = firmware.estimator.estimate.attitude
        return (x, y, z, w)

    def flag(bit: SupervisorInfo) -> Callable[[], float]:
        return lambda: float(bit in firmware.info)

    def motor(index: int) -> Callable[[], float]:
        return lambda: firmware.motor_ratio(index) * _FULL_PWM

    def estimate(name: str) -> Callable[[], tuple[float, ...]]:
        return lambda: getattr(firmware.estimator.estimate, name)

    per_g = 1.0 / GRAVITY_M_S2
    return [
        *_vector("stateEstimate", "x y z", estimate("position")),
        *_vector("stateEstimate", "vx vy vz", estimate("velocity")),
        *_vector("stateEstimate", "ax ay az", estimate("acceleration"), per_g),
        *_vector("stateEstimate", "roll pitch yaw", angles),
        *_vector("stateEstimate", "qx qy qz qw", quaternion),
        *_millimetres("x y z", estimate("position")),
        *_millimetres("vx vy vz", estimate("velocity")),
        LogVariable(
            "stateEstimateZ.quat",
            LogType.U32,
            lambda: compressed_quaternion(firmware.estimator.estimate.attitude),
        ),
        *_vector("stabilizer", "roll pitch yaw", angles),
        LogVariable(
            "stabilizer.thrust",
            LogType.FLOAT,
            lambda: sum(firmware.motor_ratio(i) for i in range(4)) / 4 * _FULL_PWM,
        ),
        *_vector("gyro", "x y z", lambda: firmware.sample.rates, math.degrees(1.0)),
        *_vector("acc", "x y z", lambda: firmware.sample.specific_force, per_g),
        LogVariable("pm.vbat", LogType.FLOAT, lambda: firmware.battery.voltage_v),
        LogVariable("pm.batteryLevel", LogType.U8, lambda: firmware.battery.percent),
        LogVariable(
            "pm.state", LogType.I8, lambda: _LOW_POWER if firmware.battery.low else _BATTERY
        ),
        *_vector("kalman", "varPX varPY varPZ", lambda: firmware.estimator.position_variance),
        LogVariable("radio.rssi", LogType.U8, lambda: 40),
        LogVariable("supervisor.info", LogType.U16, lambda: int(firmware.info)),
        LogVariable("sys.canfly", LogType.U8, flag(SupervisorInfo.CAN_FLY)),
        LogVariable("sys.isFlying", LogType.U8, flag(SupervisorInfo.FLYING)),
        LogVariable("sys.isTumbled", LogType.U8, flag(SupervisorInfo.TUMBLED)),
        LogVariable("sys.armed", LogType.U8, flag(SupervisorInfo.ARMED)),
        *(LogVariable(f"motor.m{i + 1}", LogType.U16, motor(i)) for i in range(4)),
    ]


def parameters(firmware: Firmware) -> list[Parameter]:
    """Everything that a client can set or ask."""
    settings = firmware.settings
    gains, estimator, times = settings.gains, settings.estimator, settings.times
    bound, real, u8 = Parameter.bound, ParamType.FLOAT, ParamType.U8

    def milliseconds(name: str, attribute: str) -> Parameter:
        return Parameter(
            name,
            ParamType.U16,
            lambda: round(1000.0 * getattr(times, attribute)),
            lambda value: setattr(times, attribute, value / 1000.0),
        )

    return [
        bound("stabilizer.controller", u8, settings, "controller_type"),
        bound("stabilizer.estimator", u8, settings, "estimator_type"),
        bound("commander.enHighLevel", u8, settings, "high_level_enabled"),
        bound("kalman.resetEstimation", u8, settings, "reset_estimation"),
        bound("kalman.initialX", real, estimator, "initial_x_m"),
        bound("kalman.initialY", real, estimator, "initial_y_m"),
        bound("kalman.initialZ", real, estimator, "initial_z_m"),
        bound("kalman.initialYaw", real, estimator, "initial_yaw_rad"),
        bound("locSrv.extPosStdDev", real, estimator, "position_stddev_m"),
        bound("locSrv.extQuatStdDev", real, estimator, "attitude_stddev_rad"),
        # One limit under two names: the speed is limited as a vector.
        bound("posCtlPid.xVelMax", real, gains, "max_speed_xy_m_s"),
        bound("posCtlPid.yVelMax", real, gains, "max_speed_xy_m_s"),
        bound("posCtlPid.zVelMax", real, gains, "max_speed_z_m_s"),
        bound("posCtlPid.rLimit", real, gains, "max_roll_deg"),
        bound("posCtlPid.pLimit", real, gains, "max_pitch_deg"),
        milliseconds("supervisor.prefltTimeout", "preflight_s"),
        milliseconds("supervisor.landedTimeout", "landing_s"),
        milliseconds("supervisor.levelTimeout", "level_out_s"),
        milliseconds("supervisor.fallTimeout", "free_fall_s"),
        Parameter.constant("firmware.revision0", ParamType.U32, 0x44524946),
        Parameter.constant("firmware.revision1", ParamType.U16, 1),
        Parameter.constant("firmware.modified", u8, 0),
        Parameter.constant("system.selftestPassed", ParamType.I8, 1),
    ]
