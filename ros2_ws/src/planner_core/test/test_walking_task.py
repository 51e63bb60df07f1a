"""The task ``walk``: what may be asked for, and when it is done."""

from __future__ import annotations

import math

import pytest
from planner_core.errors import GoalError, GoalOutsideFenceError, InvalidObservationError
from planner_core.robots import crazyflie, go2
from planner_core.tasks import load_task
from planner_core.walking_task import BODY, Walk

AS_ASKED = {"mean_velocity_x": 0.5, "mean_velocity_y": 0.0, "mean_turn_rate": 0.0}


def test_it_is_found_by_name_and_needs_the_trunk() -> None:
    assert load_task("walk").sensors == (BODY,)


def test_a_velocity_within_the_limits_is_taken_and_completed() -> None:
    task = Walk()
    task.check(go2(), {"velocity_x": 0.5})
    complete = task.complete({"velocity_x": 0.5}, {})
    assert complete == {"velocity_x": 0.5, "velocity_y": 0.0, "turn_rate": 0.0}


@pytest.mark.parametrize(
    ("robot", "asked", "error"),
    [
        (crazyflie(), {"velocity_x": 0.5}, GoalError),
        (go2(), {"x": 0.5}, GoalError),
        (go2(), {"velocity_x": 0.9}, GoalOutsideFenceError),
        (go2(), {"turn_rate": -0.5}, GoalOutsideFenceError),
        (go2(), {"heading": 3.2}, GoalOutsideFenceError),
        (go2(), {"heading": 0.0, "turn_rate": 0.0}, GoalError),
    ],
)
def test_what_cannot_be_walked_is_refused(
    robot: object, asked: dict[str, float], error: type[GoalError]
) -> None:
    with pytest.raises(error):
        Walk().check(robot, asked)  # type: ignore[arg-type]


def test_distance_is_that_of_the_velocity_over_a_stride() -> None:
    asked = {"velocity_x": 0.5}
    measured = {"mean_velocity_x": 0.2, "mean_velocity_y": 0.4, "mean_turn_rate": 0.0}
    progress = Walk().progress(asked, {}, measured)
    assert progress.complete
    assert progress.distance == pytest.approx(0.5)
    unknown = Walk().progress(asked, {}, {"mean_velocity_x": 0.5})
    assert math.isnan(unknown.distance)
    assert not unknown.complete


@pytest.mark.parametrize(
    ("asked", "measured", "rate"),
    [(0.0, -0.1, 0.1), (0.0, 0.0, 0.0), (0.0, 2.0, -0.4), (3.1, -3.1, 6.2 - math.tau)],
)
def test_a_heading_is_approached_the_shorter_way(
    asked: float, measured: float, rate: float
) -> None:
    task = Walk()
    complete = task.complete({"velocity_x": 0.5, "heading": asked}, {})
    target = task.target(complete, {**AS_ASKED, "heading": measured})
    assert target["velocity_x"] == 0.5
    assert target["turn_rate"] == pytest.approx(rate)


def test_a_heading_that_nobody_measures_is_not_held() -> None:
    task = Walk()
    asked = task.complete({"heading": 0.0}, {})
    with pytest.raises(InvalidObservationError, match="heading"):
        task.target(asked, AS_ASKED)
    moving = {"mean_velocity_x": 0.0, "mean_velocity_y": 0.0, "mean_turn_rate": 0.0}
    assert not task.progress({"heading": 0.0}, {}, moving).complete
    # It is not there as long as it does not turn as it should.
    progress = task.progress({"heading": 0.0}, {}, {**moving, "heading": 0.2})
    assert progress.distance == pytest.approx(0.2 * 0.2)


@pytest.mark.parametrize(
    ("asked", "measured", "told"),
    [(0.5, 0.45, 0.55), (0.5, 0.58, 0.42), (0.5, 0.0, 0.65), (0.8, 0.7, 0.8), (-0.1, 0.3, -0.2)],
)
def test_what_is_missed_of_a_velocity_is_asked_for_on_top(
    asked: float, measured: float, told: float
) -> None:
    task = Walk()
    complete = task.complete({"velocity_x": asked}, {})
    target = task.target(complete, {**AS_ASKED, "mean_velocity_x": measured})
    assert target == pytest.approx({"velocity_x": told, "velocity_y": 0.0, "turn_rate": 0.0})
    # Judged is what was asked for, not what it takes.
    progress = task.progress(complete, {}, {**AS_ASKED, "mean_velocity_x": measured})
    assert progress.distance == pytest.approx(abs(asked - measured))


def test_a_walk_that_nobody_measures_is_not_planned() -> None:
    task = Walk()
    with pytest.raises(InvalidObservationError, match="mean_velocity_x"):
        task.target(task.complete({}, {}), {})
