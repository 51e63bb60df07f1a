"""The robot's topics, seen by a DDS client of another make than the bridge's."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

import pytest

pytest.importorskip("cyclonedds")

from cyclonedds.core import Policy, Qos
from cyclonedds.domain import DomainParticipant
from cyclonedds.pub import DataWriter
from cyclonedds.sub import DataReader
from cyclonedds.topic import Topic
from robot_simulation.errors import SimulationError
from robot_simulation.go2 import idl
from robot_simulation.go2.server import Go2Server
from robot_simulation.go2.simulation import Go2Simulation

DOMAIN = int(os.environ["ROS_DOMAIN_ID"])
RELIABLE = Qos(Policy.Reliability.Reliable(max_blocking_time=10**8), Policy.History.KeepLast(8))


class Client:
    """A client of the robot in this process; it and the robot take turns."""

    def __init__(self) -> None:
        self.robot = Go2Simulation()
        self.server = Go2Server(self.robot, DOMAIN)
        participant = DomainParticipant(DOMAIN)

        def reader(topic: str, kind: type) -> DataReader:
            return DataReader(participant, Topic(participant, topic, kind), qos=RELIABLE)

        self.states = reader("rt/lowstate", idl.LowState)
        self.sport_states = reader("rt/sportmodestate", idl.SportModeState)
        self.responses = reader("rt/api/motion_switcher/response", idl.Response)
        topic = Topic(participant, "rt/api/motion_switcher/request", idl.Request)
        self.requests = DataWriter(participant, topic, qos=RELIABLE)

    def until(self, arrived: Callable[[], list], timeout_s: float = 10.0) -> list:
        """Let the robot live until something has arrived."""
        end = time.monotonic() + timeout_s
        while not (samples := arrived()):
            assert time.monotonic() < end
            self.robot.step()
            self.server.serve()
            time.sleep(0.001)
        return samples

    def ask(self, number: int, function: int, *, noreply: bool = False) -> None:
        header = idl.RequestHeader(
            idl.RequestIdentity(number, function), idl.RequestLease(0),
            idl.RequestPolicy(0, noreply),
        )  # fmt: skip
        self.requests.write(idl.Request(header, "", []))


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    return Client()


def test_states_arrive(client: Client) -> None:
    (state, *_) = client.until(lambda: client.states.take(1))
    assert list(state.head) == [0xFE, 0xEF]
    assert state.motor_state[1].q == pytest.approx(1.3, abs=0.2)
    (sport, *_) = client.until(lambda: client.sport_states.take(1))
    assert sport.position[2] == pytest.approx(0.1, abs=0.03)
    assert sport.mode == 7


def test_requests_are_answered_by_their_number(client: Client) -> None:
    client.until(lambda: client.requests.get_matched_subscriptions())
    client.until(lambda: client.responses.get_matched_publications())
    client.ask(1, 1001, noreply=True)
    client.ask(2, 1001)
    (response, *_) = client.until(lambda: client.responses.take(1))
    assert response.header.identity.id == 2, "the first one wanted no answer"
    assert response.header.status.code == 0
    assert '"name": "normal"' in response.data


def test_a_network_interface_that_does_not_exist_is_refused(ros_domain: int) -> None:
    with pytest.raises(SimulationError, match="nowhere0"):
        Go2Server(Go2Simulation(), ros_domain, "nowhere0")
