"""What an estimator takes in: every absurd input is refused by its code; and plugins by name."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from planner_core.errors import InvalidMeasurementError, UnknownPluginError
from planner_core.estimation import (
    EstimatorStatus,
    ImuSample,
    Measurement,
    load_estimator,
)
from planner_core.estimation_replay import ReplayingEstimator
from planner_core.estimation_settings import EstimatorSettings
from planner_core.parameters import specs

ZERO = np.zeros(3)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e4])
@pytest.mark.parametrize("part", ["acceleration", "rate"])
def test_absurd_reading(part: str, bad: float) -> None:
    with pytest.raises(InvalidMeasurementError) as refusal:
        ImuSample(0, **{"acceleration": ZERO, "rate": ZERO, part: np.array([0.0, bad, 0.0])})
    assert refusal.value.code == 431
    assert part in str(refusal.value)


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"position": [0.0, math.nan, 0.0]},
        {"position": [1e9, 0.0, 0.0]},
        {"position": [0.0, 0.0]},
        {"velocity": [math.inf, 0.0, 0.0]},
        {"orientation": [0.0, 0.0, 0.0, 0.0]},
        {"orientation": [math.nan, 0.0, 0.0, 1.0]},
        {"orientation": [1.0, 0.0, 0.0]},
        {"position": ZERO, "position_deviation": 0.0},
        {"position": ZERO, "position_deviation": math.nan},
    ],
    ids=str,
)
def test_absurd_measurement(parts: dict[str, Any]) -> None:
    with pytest.raises(InvalidMeasurementError) as refusal:
        Measurement(0, "test", **parts)
    assert refusal.value.code == 431


def test_orientations_are_normalised_and_read_only() -> None:
    measurement = Measurement(0, "test", orientation=np.array([1.01, 0.0, 0.0, 0.0]))
    assert measurement.orientation is not None
    assert np.array_equal(measurement.orientation, [1.0, 0.0, 0.0, 0.0])
    assert not measurement.orientation.flags.writeable


def test_the_built_in_estimator_by_name() -> None:
    assert isinstance(load_estimator("error_state_filter", EstimatorSettings()), ReplayingEstimator)


def test_an_unknown_estimator_lists_those_there_are() -> None:
    with pytest.raises(UnknownPluginError, match="error_state_filter"):
        load_estimator("oracle", EstimatorSettings())


def test_settings_have_bounds_and_effects() -> None:
    for spec in specs(EstimatorSettings).values():
        assert None not in (spec.minimum, spec.maximum), spec.name
        assert spec.effect.endswith("."), spec.name
        assert spec.read_only, spec.name


def test_status_orders_from_start_to_end() -> None:
    assert [int(status) for status in EstimatorStatus] == [0, 1, 2, 3]
