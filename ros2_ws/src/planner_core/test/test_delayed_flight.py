from __future__ import annotations

import pytest
from planner_core.classical import StraightLinePlanner
from planner_core.delayed_flight import DelayedFlight, fly
from planner_core.robots import crazyflie
from planner_core.worlds import find_world

WORLD = find_world("random", 3000, density_per_m2=0.0)


def flight(chunk: int, delay_s: float) -> DelayedFlight:
    return fly(crazyflie(), WORLD, StraightLinePlanner(crazyflie()), chunk=chunk, delay_s=delay_s)


@pytest.mark.parametrize(("chunk", "delay_s"), [(1, 0.0), (2, 0.1), (4, 0.2)])
def test_plans_that_come_in_time_join_into_one_motion(chunk: int, delay_s: float) -> None:
    result = flight(chunk, delay_s)
    print(result)
    assert result.outcome == "success"
    # It stands until the first plan comes, and hardly ever after that.
    assert result.held_share * result.duration_s <= 2 * delay_s + 0.1


def test_chunks_shorter_than_the_delay_make_it_stop_and_go() -> None:
    in_time, late = flight(4, 0.2), flight(1, 0.2)
    assert late.held_share > 0.3
    assert late.rms_jerk > 2 * in_time.rms_jerk
    assert late.duration_s > in_time.duration_s


def test_the_same_seed_flies_the_same() -> None:
    assert flight(2, 0.05) == flight(2, 0.05)


def test_what_is_in_the_way_is_hit() -> None:
    crowded = find_world("random", 3000, density_per_m2=0.6)
    planner = StraightLinePlanner(crazyflie())
    assert fly(crazyflie(), crowded, planner, chunk=2, delay_s=0.0).outcome == "collision"
