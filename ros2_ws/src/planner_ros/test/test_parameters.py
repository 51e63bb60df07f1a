from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import rclpy
from planner_core.errors import ConfigurationError, InvalidParameterError
from planner_core.parameters import parameter
from planner_ros.parameters import NodeParameters
from rclpy.node import Node
from rclpy.parameter import Parameter


@dataclass(frozen=True, slots=True)
class Settings:
    rate_hz: float = parameter(50.0, "How often.", minimum=1.0, maximum=100.0)
    robot: str = parameter("crazyflie", "Which robot.", read_only=True)
    fence_m: tuple[float, ...] = parameter((), "Where.")


@pytest.fixture(autouse=True)
def context(ros_domain: int) -> Iterator[None]:
    rclpy.init(domain_id=ros_domain)
    yield
    rclpy.shutdown()


def node(**overrides: object) -> Node:
    return Node(
        "settings",
        automatically_declare_parameters_from_overrides=True,
        parameter_overrides=[Parameter(name, value=value) for name, value in overrides.items()],
    )


def test_values_come_from_overrides_and_defaults() -> None:
    parameters = NodeParameters(node(rate_hz=20, fence_m=[1.0, 2.0]), Settings)
    assert parameters.values == Settings(rate_hz=20.0, fence_m=(1.0, 2.0))


def test_a_misspelt_key_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"/settings.*rate_hertz.*rate_hz"):
        NodeParameters(node(rate_hertz=20.0), Settings)


def test_a_bad_value_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"rate_hz.*1000"):
        NodeParameters(node(rate_hz=1000.0), Settings)


def test_changes_are_checked_and_take_effect() -> None:
    owner = node()
    parameters = NodeParameters(owner, Settings)
    results = owner.set_parameters(
        [
            Parameter("rate_hz", value=10),
            Parameter("rate_hz", value=0.0),
            Parameter("robot", value="go2"),
        ]
    )
    assert [r.successful for r in results] == [True, False, False]
    assert "in [1, 100]" in results[1].reason
    assert "fixed while the node runs" in results[2].reason
    assert parameters.values == Settings(rate_hz=10.0)
    assert owner.get_parameter("rate_hz").value == 10


def test_a_refusal_of_the_node_leaves_everything_as_it_was() -> None:
    def refuse(old: Settings, new: Settings) -> None:
        raise InvalidParameterError("not now", got=new.rate_hz, expected=old.rate_hz)

    owner = node()
    parameters = NodeParameters(owner, Settings, refuse)
    (result,) = owner.set_parameters([Parameter("rate_hz", value=10.0)])
    assert not result.successful
    assert "not now" in result.reason
    assert parameters.values.rate_hz == 50.0
    assert owner.get_parameter("rate_hz").value == 50.0


def test_descriptions_reach_the_command_line() -> None:
    owner = node()
    NodeParameters(owner, Settings)
    descriptor = owner.describe_parameter("rate_hz")
    assert descriptor.description == "How often."
    assert descriptor.additional_constraints == "float in [1, 100] Hz"


def test_arrays_may_be_empty() -> None:
    assert NodeParameters(node(), Settings).values.fence_m == ()


def test_a_change_that_failed_is_set_back_without_asking() -> None:
    asked: list[float] = []

    def refuse_all(old: Settings, new: Settings) -> None:
        asked.append(new.rate_hz)
        if new.rate_hz < 50.0:
            raise InvalidParameterError("rate_hz", got=new.rate_hz)

    owner = node()
    parameters = NodeParameters(owner, Settings, refuse_all)
    assert owner.set_parameters([Parameter("rate_hz", value=80.0)])[0].successful
    # The fence is what somebody has set since, not what the failed change made it.
    fence = parameters.values.fence_m
    parameters.set_back({"rate_hz": (20.0, 80.0), "fence_m": ((1.0,), (2.0,))})
    assert parameters.values == Settings(rate_hz=20.0, fence_m=fence)
    assert owner.get_parameter("rate_hz").value == 20.0
    assert asked == [80.0]
    # After that, changes are asked for again.
    assert not owner.set_parameters([Parameter("rate_hz", value=30.0)])[0].successful
