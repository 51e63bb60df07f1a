"""The electronic side: what runs on the vehicle's processor.

:meth:`Firmware.step` is one period of the 500 Hz loop: it takes one inertial sample and gives four
rotor thrusts. :meth:`Firmware.receive` takes one packet. Neither blocks nor reads a clock; the
firmware's time is the number of its steps.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from robot_simulation.crazyflie.airframe import GRAVITY_M_S2, Airframe
from robot_simulation.crazyflie.battery import Battery
from robot_simulation.crazyflie.commander import Commander
from robot_simulation.crazyflie.controllers import CascadedController, ControllerGains, Thrusts
from robot_simulation.crazyflie.crtp import Packet, Port
from robot_simulation.crazyflie.estimator import Estimator, EstimatorSettings
from robot_simulation.crazyflie.high_level import HighLevelCommander
from robot_simulation.crazyflie.imu import ImuSample
from robot_simulation.crazyflie.log_service import LogService
from robot_simulation.crazyflie.model import STEP_S
from robot_simulation.crazyflie.param_service import ParamService
from robot_simulation.crazyflie.setpoint import ZERO, Heading, Horizontal, Setpoint
from robot_simulation.crazyflie.setpoint_packets import (
    MalformedPacketError,
    decode_legacy_setpoint,
    decode_setpoint,
    unpack_finite,
)
from robot_simulation.crazyflie.supervisor import (
    Observed,
    Supervisor,
    SupervisorInfo,
    SupervisorTimes,
)
from robot_simulation.crazyflie.variables import log_variables, parameters

PROTOCOL_VERSION: Final = 12
POSITION_EVERY: Final = 5
"""Steps between two runs of the 100 Hz loops: position control, covariance, commander, logs."""
SUPERVISOR_EVERY: Final = 20
"""Steps between two runs of the 25 Hz supervisor."""
IDLE_THRUST: Final = 0.05
"""Share of a rotor's full thrust below which the motors count as idle."""


@dataclass(slots=True)
class Settings:
    """Everything that parameters change; it survives a new flight and is lost in a reboot.

    Attributes:
        gains: Of the controller.
        estimator: Noise and start values of the estimator.
        times: Limits of the supervisor.
        controller_type: Kept for clients that write it; there is one controller, which feeds
            velocity and acceleration forward as the vehicle's model-based ones do.
        estimator_type: Kept for clients that write it; there is one estimator, the Kalman filter.
        high_level_enabled: Whether high-level commands are flown.
        reset_estimation: Writing anything but 0 restarts the estimator.
    """

    gains: ControllerGains = field(default_factory=ControllerGains)
    estimator: EstimatorSettings = field(default_factory=EstimatorSettings)
    times: SupervisorTimes = field(default_factory=SupervisorTimes)
    controller_type: int = 1
    estimator_type: int = 2
    high_level_enabled: bool = True
    reset_estimation: int = 0


class Firmware:
    """One booted processor.

    Args:
        airframe: The vehicle that it is mounted on.
        battery: Gives the present state of the supply.

    Attributes:
        settings: Parameter values.
        estimator: The on-board estimator.
        supervisor: The flight state machine.
        high_level: The high-level commander.
        commander: The setpoint in force.
        sample: The last inertial sample.
        thrusts_n: (4,) [N] the last motor commands.
        outbox: Packets that wait to be sent.
    """

    def __init__(self, airframe: Airframe, battery: Callable[[], Battery]) -> None:
        self._airframe = airframe
        self._battery = battery
        self.settings = Settings()
        self.sample = ImuSample(ZERO, (0.0, 0.0, GRAVITY_M_S2))
        self.outbox: deque[Packet] = deque()
        self._steps = 0
        self._broken = False
        self.begin_flight()
        self.logs = LogService(log_variables(self))
        self.params = ParamService(parameters(self))
        self._handlers: dict[int, Callable[[Packet], Packet | None]] = {
            Port.LINK: self._receive_link,
            Port.PLATFORM: self._receive_platform,
            Port.LOG: self.logs.receive,
            Port.PARAM: self._receive_param,
            Port.MEMORY: self._receive_memory,
            Port.COMMANDER: self._receive_legacy_setpoint,
            Port.GENERIC_COMMANDER: self._receive_setpoint,
            Port.HIGH_LEVEL_COMMANDER: self._receive_high_level,
            Port.LOCALIZATION: self._receive_localization,
            Port.SUPERVISOR: self._receive_supervisor,
        }

    def begin_flight(self) -> None:
        """Forget the past flight but keep parameters and log blocks, so that clients stay on."""
        self.estimator = Estimator(self.settings.estimator)
        self.supervisor = Supervisor(self.settings.times, auto_arm=not self._airframe.brushless)
        # A supervisor that starts late must not count the time before it as time upside down.
        self.supervisor.start(self.time_s)
        self.high_level = HighLevelCommander()
        self.commander = Commander(self.high_level)
        self.controller = CascadedController(self._airframe, self.settings.gains)
        self.thrusts_n: Thrusts = (0.0, 0.0, 0.0, 0.0)
        self._thrust_lock = True

    @property
    def time_s(self) -> float:
        """Time since boot."""
        return self._steps * STEP_S

    @property
    def battery(self) -> Battery:
        """The present state of the supply."""
        return self._battery()

    @property
    def info(self) -> SupervisorInfo:
        """The status word of the supervisor port."""
        word = self.supervisor.info
        if self.high_level.active and self.supervisor.flying:
            word |= SupervisorInfo.HIGH_LEVEL_ACTIVE
        if self.high_level.finished(self.time_s):
            word |= SupervisorInfo.HIGH_LEVEL_FINISHED
        if self.high_level.disabled:
            word |= SupervisorInfo.HIGH_LEVEL_DISABLED
        return word

    def motor_ratio(self, rotor: int) -> float:
        """Command of one rotor as a share of full thrust, in [0, 1]."""
        return self.thrusts_n[rotor] / self._airframe.max_thrust_n

    def step(self, sample: ImuSample, *, broken: bool) -> Thrusts:
        """Run one period of the 500 Hz loop.

        Args:
            sample: The inertial reading of this period.
            broken: Whether a collision has broken the vehicle.

        Returns:
            (4,) [N] thrust asked of each rotor.
        """
        self.sample = sample
        self._broken = broken
        self._steps += 1
        self.estimator.propagate(sample, STEP_S)
        if self._steps % SUPERVISOR_EVERY == 0:
            self._supervise()
        slow = self._steps % POSITION_EVERY == 0
        period = POSITION_EVERY * STEP_S
        if slow:
            self.estimator.propagate_covariance(period)
            if self.settings.high_level_enabled:
                self.commander.update(self.time_s)
        self.thrusts_n = self._control(slow, period)
        if slow:
            self.outbox.extend(self.logs.due(self._steps // POSITION_EVERY))
        return self.thrusts_n

    def receive(self, packet: Packet) -> None:
        """Take one packet; replies go to the outbox. Malformed packets are dropped."""
        handler = self._handlers.get(packet.port)
        if handler is None:
            return
        try:
            reply = handler(packet)
        except MalformedPacketError:
            return
        if reply is not None:
            self.outbox.append(reply)

    def _supervise(self) -> None:
        idle = IDLE_THRUST * self._airframe.max_thrust_n
        self.supervisor.update(
            self.time_s,
            Observed(
                acceleration_z_g=self.sample.specific_force[2] / GRAVITY_M_S2,
                thrusting=max(self.thrusts_n) > idle,
                setpoint_age_s=self.commander.age_s(self.time_s),
                broken=self._broken,
            ),
        )
        self.high_level.blocked = not self.supervisor.can_fly
        if self.high_level.blocked:
            self.high_level.halt()

    def _control(self, slow: bool, period_s: float) -> Thrusts:
        estimate = self.estimator.estimate
        if not self.supervisor.motors_allowed:
            self.controller.reset(estimate.yaw_rad)
            return (0.0, 0.0, 0.0, 0.0)
        setpoint = self.commander.setpoint
        if self.supervisor.levels_out:
            setpoint = levelled(setpoint)
        if slow:
            self.controller.update_position(setpoint, estimate, period_s)
        return self.controller.update_attitude(setpoint, estimate, STEP_S)

    def _receive_link(self, packet: Packet) -> Packet | None:
        if packet.channel == 0:
            return packet
        if packet.channel == 1:
            return Packet(Port.LINK, 1, b"Bitcraze Crazyflie".ljust(30, b"\0"))
        return None

    def _receive_platform(self, packet: Packet) -> Packet | None:
        answers = {
            b"\x00": struct.pack("<BI", 0, PROTOCOL_VERSION),
            b"\x01": b"\x01driftpilot-simulation",
            b"\x02": b"\x02CF21",
        }
        answer = answers.get(packet.data[:1]) if packet.channel == 1 else None
        return None if answer is None else Packet(Port.PLATFORM, 1, answer)

    def _receive_memory(self, packet: Packet) -> Packet | None:
        # The vehicle announces no memories, so nothing but their number is ever asked.
        counted = packet.channel == 0 and packet.data[:1] == b"\x01"
        return Packet(Port.MEMORY, 0, b"\x01\x00") if counted else None

    def _receive_param(self, packet: Packet) -> Packet | None:
        reply = self.params.receive(packet)
        if self.settings.reset_estimation:
            self.settings.reset_estimation = 0
            self.estimator.reset()
        return reply

    def _receive_legacy_setpoint(self, packet: Packet) -> None:
        setpoint = decode_legacy_setpoint(packet.data)
        # After boot this port stays locked until it has seen zero thrust once, so that a client
        # that connects with its stick up does not start the motors.
        self._thrust_lock = self._thrust_lock and setpoint.thrust > 0.0
        self.commander.receive(
            replace(setpoint, thrust=0.0) if self._thrust_lock else setpoint, self.time_s
        )

    def _receive_setpoint(self, packet: Packet) -> None:
        if packet.channel == 0:
            self.commander.receive(decode_setpoint(packet.data), self.time_s)
        elif packet.channel == 1 and packet.data[:1] == b"\x00":
            self.commander.notify_stop()

    def _receive_high_level(self, packet: Packet) -> Packet | None:
        if not packet.data:
            return None
        status = self.high_level.execute(packet.data, self.time_s, self.estimator.estimate)
        return Packet(
            Port.HIGH_LEVEL_COMMANDER, 0, packet.data[:3].ljust(3, b"\0") + bytes((status,))
        )

    def _receive_localization(self, packet: Packet) -> None:
        if packet.channel == 0:
            x, y, z = unpack_finite(_POSITION, packet.data)
            self.estimator.correct_position((x, y, z))
        elif packet.channel == 1 and packet.data[:1] == b"\x08":
            x, y, z, qx, qy, qz, qw = unpack_finite(_POSE, packet.data[1:])
            if not any((qx, qy, qz, qw)):
                raise MalformedPacketError("the quaternion is zero")
            self.estimator.correct_pose((x, y, z), (qw, qx, qy, qz))
        elif packet.channel == 1 and packet.data[:1] == b"\x03":
            self.supervisor.emergency_stop()
        elif packet.channel == 1 and packet.data[:1] == b"\x04":
            self.supervisor.feed_emergency_watchdog(self.time_s)

    def _receive_supervisor(self, packet: Packet) -> Packet | None:
        command = packet.data[:1]
        if packet.channel == 0 and command == b"\x0c":
            return Packet(Port.SUPERVISOR, 0, struct.pack("<BH", 0x8C, self.info))
        if packet.channel != 1:
            return None
        if command == b"\x01" and len(packet.data) == 2:
            arm = packet.data[1] != 0
            granted = self.supervisor.request_arming(arm)
            return Packet(Port.SUPERVISOR, 1, bytes((0x81, granted, arm and granted)))
        if command == b"\x02":
            granted = self.supervisor.request_recovery()
            return Packet(Port.SUPERVISOR, 1, bytes((0x82, granted, granted)))
        if command == b"\x03":
            self.supervisor.emergency_stop()
        elif command == b"\x04":
            self.supervisor.feed_emergency_watchdog(self.time_s)
        return None


_POSITION: Final = struct.Struct("<fff")
_POSE: Final = struct.Struct("<7f")


def levelled(setpoint: Setpoint) -> Setpoint:
    """The same height or thrust without tilt or turn: what a vehicle does that hears nothing."""
    return replace(
        setpoint, horizontal=Horizontal.TILT, heading=Heading.RATE, roll_rad=0.0, pitch_rad=0.0,
        rates=ZERO,
    )  # fmt: skip
