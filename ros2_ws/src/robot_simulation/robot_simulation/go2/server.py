"""The robot's DDS topics: samples in and out of a simulation.

Raises `MissingDriverError` at import where cyclonedds, an option of this package, is missing.
"""

from __future__ import annotations

import time
from typing import Any, Final

from planner_core.clock import NS_PER_S
from planner_core.errors import MissingDriverError
from robot_simulation.errors import SimulationError
from robot_simulation.go2.kinematics import foot_positions
from robot_simulation.go2.simulation import Go2Simulation
from robot_simulation.periodic import Periodic

try:
    from cyclonedds.core import DDSException, Policy, Qos
    from cyclonedds.domain import Domain, DomainParticipant
    from cyclonedds.pub import DataWriter
    from cyclonedds.sub import DataReader
    from cyclonedds.topic import Topic
    from robot_simulation.go2 import idl
except ImportError as error:
    raise MissingDriverError(
        "the library cyclonedds cannot be imported", got=error, expected="cyclonedds 11.0.1",
        remedy="Install it: pip install cyclonedds==11.0.1",
    ) from error  # fmt: skip

SPORT_STATE_HZ: Final = 50.0
SERVICES: Final = ("sport", "motion_switcher")
_MOST: Final = 32
"""Samples taken at a time."""
# ROS 2 that keeps to one machine looks for others by unicast, so that is where to be found.
_ONE_MACHINE: Final = """
<CycloneDDS><Domain>
  <General><Interfaces><NetworkInterface name="{interface}"/></Interfaces></General>
  <Discovery>
    <ParticipantIndex>auto</ParticipantIndex>
    <Peers><Peer address="127.0.0.1"/></Peers>
  </Discovery>
</Domain></CycloneDDS>
"""
_ONE_INTERFACE: Final = """
<CycloneDDS><Domain>
  <General><Interfaces><NetworkInterface name="{interface}"/></Interfaces></General>
</Domain></CycloneDDS>
"""
_LATEST: Final = Qos(Policy.Reliability.Reliable(max_blocking_time=0), Policy.History.KeepLast(1))
_COMMANDS: Final = Qos(Policy.Reliability.BestEffort, Policy.History.KeepLast(_MOST))
_CALLS: Final = Qos(
    Policy.Reliability.Reliable(max_blocking_time=NS_PER_S // 10), Policy.History.KeepLast(_MOST)
)


class Go2Server:
    """A robot on a DDS domain.

    Args:
        simulation: The robot.
        domain: DDS domain; the robot itself uses 0.
        interface: Network interface; ``lo`` keeps to this machine.

    Raises:
        SimulationError: The domain cannot be joined over that interface.
    """

    def __init__(self, simulation: Go2Simulation, domain: int, interface: str = "lo") -> None:
        self._simulation = simulation
        config = (_ONE_MACHINE if interface == "lo" else _ONE_INTERFACE).format(interface=interface)
        try:
            # Kept: the domain ends with the object.
            self._domain = Domain(domain, config)
            participant = DomainParticipant(domain)
        except DDSException as error:
            raise SimulationError(
                f"cannot join DDS domain {domain} over {interface}", got=error,
                remedy="Name a network interface of this machine; one robot a process and domain.",
            ) from error  # fmt: skip

        def writer(topic: str, kind: type, qos: Any) -> DataWriter[Any]:
            return DataWriter(participant, Topic(participant, topic, kind), qos=qos)

        def reader(topic: str, kind: type, qos: Any) -> DataReader[Any]:
            return DataReader(participant, Topic(participant, topic, kind), qos=qos)

        self._low_state = writer("rt/lowstate", idl.LowState, _LATEST)
        self._sport_state = writer("rt/sportmodestate", idl.SportModeState, _LATEST)
        self._low_cmd = reader("rt/lowcmd", idl.LowCmd, _COMMANDS)
        self._calls = {
            name: (
                reader(f"rt/api/{name}/request", idl.Request, _CALLS),
                writer(f"rt/api/{name}/response", idl.Response, _CALLS),
            )
            for name in SERVICES
        }
        self._sport_state_due = Periodic(SPORT_STATE_HZ)

    def wait(self, timeout_s: float) -> None:
        """Sleep; what arrives is taken at the next tick, as by the robot."""
        time.sleep(max(0.0, timeout_s))

    def serve(self) -> None:
        """Take what has arrived, answer, and publish the present state."""
        simulation = self._simulation
        for sample in self._low_cmd.take(_MOST):
            if isinstance(sample, idl.EncodedLowCmd) and self._arrives():
                simulation.receive_low_cmd(sample.payload, sample.sample_info.publication_handle)
        for name, (requests, _) in self._calls.items():
            for request in requests.take(_MOST):
                if isinstance(request, idl.Request) and self._arrives():
                    self._answer(name, request)
        if simulation.booting:
            return
        if self._arrives():
            self._low_state.write(idl.EncodedLowState(simulation.low_state()))
        if self._sport_state_due.due(simulation.time_s) and self._arrives():
            self._sport_state.write(self._sport_mode_state())

    def _arrives(self) -> bool:
        """Whether the network lets a sample through."""
        faults = self._simulation.faults
        if faults.silence > 0:
            return False
        return not faults.packet_loss or self._simulation.dice.random() >= faults.packet_loss

    def _answer(self, service: str, request: idl.Request) -> None:
        identity = request.header.identity
        answer = self._simulation.call(service, identity.api_id, request.parameter)
        if answer is not None and not request.header.policy.noreply and self._arrives():
            header = idl.ResponseHeader(identity, idl.ResponseStatus(answer.code))
            self._calls[service][1].write(idl.Response(header, answer.data, []))

    def _sport_mode_state(self) -> idl.SportModeState:
        simulation = self._simulation
        body, sport = simulation.dynamics.body(), simulation.sport
        feet = foot_positions(simulation.dynamics.q)
        seconds, fraction = divmod(simulation.time_s, 1.0)
        return idl.SportModeState(
            stamp=idl.TimeSpec(int(seconds), int(fraction * NS_PER_S)),
            error_code=0,
            imu_state=idl.IMUState(
                body.quaternion.tolist(), body.rates.tolist(), body.acceleration.tolist(),
                body.rpy.tolist(), 60,
            ),
            mode=int(sport.mode),
            progress=sport.progress,
            gait_type=1 if sport.mode.name == "WALK" else 0,
            foot_raise_height=0.06,
            position=body.position.tolist(),
            body_height=float(-feet[:, 2].mean()),
            velocity=body.velocity.tolist(),
            yaw_speed=float(body.rates[2]),
            range_obstacle=[0.0] * 4,
            foot_force=[min(30000, int(force)) for force in simulation.dynamics.foot_force],
            foot_position_body=feet.ravel().tolist(),
            foot_speed_body=[0.0] * 12,
        )  # fmt: skip
