"""Temporal ensembling: one motion from what several plans say about the same instant."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

import numpy as np
from planner_core.clock import nanoseconds
from planner_core.plan import Plan
from planner_core.timed_plan import TimedPlan


class Ensemble:
    """Averages the plans of one goal that predict the same instants.

    The plan that comes out has the times of the newest one and is cut to what may be executed of
    it. Only plans that reach over all of that are averaged: the weights are then the same at each
    of its instants, and the mean of smooth motions is as smooth as they are. A plan that is
    executed to its end has no older plan beside it and stays as it is: ensembling needs chunks.

    **Source**: Zhao et al. 2023, "Learning Fine-Grained Bimanual Manipulation with Low-Cost
    Hardware" (ACT), section IV-A: weights exp(-m i), i = 0 for the oldest prediction.

    Args:
        decay: ``m``; 0 weighs all plans alike, a larger one clings to the oldest.
        size: Greatest number of plans that are averaged.
    """

    def __init__(self, decay: float = 0.01, size: int = 8) -> None:
        self._decay = decay
        self._plans: deque[TimedPlan] = deque(maxlen=size)

    def clear(self) -> None:
        """Forget all plans: the next one stands alone."""
        self._plans.clear()

    def blend(self, newest: TimedPlan) -> TimedPlan:
        """Add a plan, and average it with those before.

        Args:
            newest: A plan that passed the gates.

        Returns:
            The newest plan with the mean trajectory, or itself where it stands alone.
        """
        if any(p.epoch != newest.epoch or p.source != newest.source for p in self._plans):
            self.clear()
        self._plans.append(newest)
        start_ns, until_ns = newest.plan.start_ns, newest.until_ns
        together = [
            p.plan for p in self._plans
            if p.plan.start_ns <= start_ns and until_ns <= p.plan.end_ns
        ]  # fmt: skip
        if len(together) < 2:
            return newest
        weights = np.exp(-self._decay * np.arange(len(together)))
        weights /= weights.sum()
        dt_s = newest.plan.dt_s
        count = round((until_ns - start_ns) * 1e-9 / dt_s) + 1
        times_ns = [start_ns + nanoseconds(i * dt_s) for i in range(count)]
        # (plans, 3, count, n_q): position, velocity and acceleration of each plan at each time.
        samples = np.array(
            [np.stack([np.array(p.sample(t)) for t in times_ns], axis=1) for p in together]
        )
        position, velocity, acceleration = np.tensordot(weights, samples, axes=1)
        plan = Plan(start_ns, dt_s, position, velocity, acceleration, newest.plan.value)
        return replace(newest, plan=plan, chunk=0)
