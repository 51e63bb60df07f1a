"""Parameters that contradict themselves or each other are refused, with both named."""

from __future__ import annotations

import pytest
from go2_bridge.parameters import Go2Parameters
from planner_core.errors import ConfigurationError
from planner_core.parameters import parse


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("control", "telepathy"),
        ("min_moving_battery", 0.5),
        ("robot", "so100"),
        ("kp", -1.0),
        ("command_timeout_s", 5.0),
    ],
)
def test_bad_parameters_are_refused(name: str, value: object) -> None:
    with pytest.raises(ConfigurationError, match=name):
        parse(Go2Parameters, {name: value}).check()


def test_defaults_are_consistent() -> None:
    Go2Parameters().check()
