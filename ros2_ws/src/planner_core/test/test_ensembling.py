from __future__ import annotations

import numpy as np
import pytest
from planner_core.ensembling import Ensemble
from planner_core.plan import Array, Plan
from planner_core.timed_plan import Source, TimedPlan

MS = 1_000_000


def curve(start_ms: int, sequence: int, height: float, chunk: int = 2, epoch: int = 0) -> TimedPlan:
    """A parabola of absolute time, shifted: plans of one motion that disagree by a constant."""
    t = (start_ms * 1e-3 + np.arange(10) * 0.1)[:, None] * np.ones(2)
    plan = Plan(start_ms * MS, 0.1, t**2 + height, 2 * t, 2 * np.ones_like(t), value=height)
    return TimedPlan(plan, epoch, sequence, start_ms * MS, chunk)


def height(plan: TimedPlan) -> Array:
    t = (plan.plan.start_ns * 1e-9 + np.arange(plan.plan.horizon) * 0.1)[:, None]
    return plan.plan.position - t**2


def test_the_first_plan_stands_alone() -> None:
    plan = curve(0, 1, 0.5)
    assert Ensemble().blend(plan) is plan


def test_plans_are_weighed_as_in_act() -> None:
    ensemble = Ensemble(decay=0.7)
    heights = [0.1, 0.4, -0.2]
    for i, h in enumerate(heights):
        mean = ensemble.blend(curve(50 * i, i, h))
    # The oldest prediction has the greatest weight.
    weights = np.exp(-0.7 * np.arange(3))
    assert height(mean) == pytest.approx(float(weights @ heights / weights.sum()))
    assert mean.plan.value == heights[-1]


def test_the_mean_is_as_long_as_what_may_be_executed_and_a_motion() -> None:
    ensemble = Ensemble()
    ensemble.blend(curve(0, 1, 0.0))
    newest = curve(70, 2, 0.3)
    mean = ensemble.blend(newest)
    assert mean.plan.start_ns == newest.plan.start_ns
    assert mean.until_ns == newest.until_ns
    assert (mean.sequence, mean.measured_ns) == (newest.sequence, newest.measured_ns)
    # A mean of parabolas with these weights is a parabola: velocities are those of the positions.
    for t_ns in range(mean.plan.start_ns, mean.until_ns, 7 * MS):
        assert mean.plan.sample(t_ns)[1] == pytest.approx(2e-9 * t_ns * np.ones(2), abs=1e-9)
        assert mean.plan.sample(t_ns)[2] == pytest.approx(2 * np.ones(2), abs=1e-6)


def test_plans_that_end_before_have_no_say() -> None:
    ensemble = Ensemble()
    ensemble.blend(curve(0, 1, 5.0))
    assert height(ensemble.blend(curve(750, 2, 0.0))) == pytest.approx(0.0)


def test_a_plan_that_is_executed_to_its_end_stays_as_it_is() -> None:
    ensemble = Ensemble()
    ensemble.blend(curve(0, 1, 0.0, chunk=0))
    plan = curve(50, 2, 0.3, chunk=0)
    assert ensemble.blend(plan) is plan


def test_goals_and_sources_do_not_mix() -> None:
    ensemble = Ensemble()
    ensemble.blend(curve(0, 1, 0.0))
    plan = curve(50, 2, 0.3, epoch=1)
    assert ensemble.blend(plan) is plan
    other = TimedPlan(plan.plan, 1, 1, 0, 2, Source.STANDBY)
    assert ensemble.blend(other) is other


def test_only_the_last_plans_count() -> None:
    ensemble = Ensemble(decay=0.0, size=2)
    for i, h in enumerate((9.0, 1.0, 2.0)):
        mean = ensemble.blend(curve(10 * i, i, h))
    assert height(mean) == pytest.approx(1.5)
