from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from planner_core.errors import (
    InvalidParameterError,
    ReadOnlyParameterError,
    UnknownParameterError,
)
from planner_core.parameters import parameter, parse, reference, replace, specs


@dataclass(frozen=True, slots=True)
class Example:
    rate_hz: float = parameter(50.0, "How often.", minimum=1.0, maximum=100.0)
    robot: str = parameter("crazyflie", "Which robot.", read_only=True)
    mode: str = parameter("slow", "How fast.", choices=("slow", "fast"))
    count: int = parameter(3, "How many.", minimum=0)
    enabled: bool = parameter(True, "Whether at all.")
    fence_m: tuple[float, ...] = parameter((), "Where.", minimum=-10.0)


def test_defaults() -> None:
    assert parse(Example, {}) == Example()


def test_integers_are_floats_where_floats_are_declared() -> None:
    value = parse(Example, {"rate_hz": 20, "fence_m": [1, 2.5]})
    assert value.rate_hz == 20.0
    assert isinstance(value.rate_hz, float)
    assert value.fence_m == (1.0, 2.5)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rate_hz", 0.5),
        ("rate_hz", 101),
        ("rate_hz", "fast"),
        ("rate_hz", True),
        ("rate_hz", math.nan),
        ("rate_hz", math.inf),
        ("count", 1.5),
        ("count", -1),
        ("count", True),
        ("enabled", 1),
        ("mode", "medium"),
        ("fence_m", "12"),
        ("fence_m", 3.0),
        ("fence_m", [0.0, -11.0]),
        ("robot", None),
    ],
)
def test_bad_values_are_refused_with_the_name(name: str, value: Any) -> None:
    with pytest.raises(InvalidParameterError, match=f"parameter {name}"):
        parse(Example, {name: value})


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_every_accepted_float_is_within_its_bounds(value: float) -> None:
    try:
        accepted = parse(Example, {"rate_hz": value}).rate_hz
    except InvalidParameterError:
        return
    assert 1.0 <= accepted <= 100.0


def test_unknown_names_are_refused_with_those_that_exist() -> None:
    with pytest.raises(UnknownParameterError, match=r"rate_hertz.*rate_hz"):
        parse(Example, {"rate_hertz": 10.0})


def test_read_only_parameters_stay() -> None:
    current = Example()
    assert replace(current, {"robot": "crazyflie", "count": 5}).count == 5
    with pytest.raises(ReadOnlyParameterError, match="robot"):
        replace(current, {"robot": "go2"})


def test_units_come_from_names() -> None:
    table = specs(Example)
    assert table["rate_hz"].unit == "Hz"
    assert table["fence_m"].unit == "m"
    assert table["mode"].unit == ""


def test_reference_names_every_parameter() -> None:
    page = reference(Example)
    assert all(f"`{name}`" in page for name in specs(Example))
    assert "fixed while running" in page


def test_a_bad_declaration_fails_at_once() -> None:
    @dataclass(frozen=True, slots=True)
    class OutOfBounds:
        rate_hz: float = parameter(0.0, "How often.", minimum=1.0)

    @dataclass(frozen=True, slots=True)
    class Undeclared:
        rate_hz: float = 1.0

    for cls in (OutOfBounds, Undeclared):
        with pytest.raises(TypeError, match="rate_hz"):
            specs(cls)
