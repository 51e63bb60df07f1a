"""Which of the candidates is executed, with and without a budget.

**Source**: MPDiffuser, Algorithm 2: the best candidate whose cost the remaining budget covers, or
the least costly where it covers none.

Letters: ``K`` candidates.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from planner_core.errors import InvalidParameterError
from planner_core.plan import Array


class Reason(StrEnum):
    """Why a candidate was chosen; the text is that of status messages."""

    BEST_FEASIBLE = "best feasible"
    BEST_OF_ALL = "best of all: none is feasible"
    WITHIN_BUDGET = "best feasible within the budget"
    LEAST_COSTLY = "least costly: none is within the budget"


@dataclass(frozen=True, slots=True)
class Choice:
    """A chosen candidate.

    Attributes:
        index: Its number in the batch.
        reason: Why it was chosen.
        cost: What the cost model gave it; NaN without one.
    """

    index: int
    reason: Reason
    cost: float


def best_feasible(value: Array, feasible: NDArray[np.bool_]) -> tuple[int, Reason]:
    """The best feasible candidate, or the best of all where none is feasible.

    Args:
        value: (K,) larger is better.
        feasible: (K,).
    """
    if feasible.any():
        return int(np.argmax(np.where(feasible, value, -np.inf))), Reason.BEST_FEASIBLE
    return int(np.argmax(value)), Reason.BEST_OF_ALL


class BudgetedSelection:
    """Chooses candidates of a task whose total cost is limited.

    Args:
        budget: Cost that the task may have; None for no limit.
        discount: Weight of a cost against the same cost one call earlier. What is left of the
            budget is kept in the money of the next call: (budget - cost) / discount, so that the
            discounted sum of all costs stays within the budget.

    Raises:
        InvalidParameterError: A negative budget, or a discount outside (0, 1].
    """

    def __init__(self, budget: float | None = None, discount: float = 1.0) -> None:
        if budget is not None and not 0 <= budget < np.inf:
            raise InvalidParameterError("budget", got=budget, expected="a number from 0")
        if not 0 < discount <= 1:
            raise InvalidParameterError("discount", got=discount, expected="above 0, at most 1")
        self._remaining = budget
        self._discount = discount

    @property
    def remaining(self) -> float | None:
        """What is left of the budget, below zero where it was overdrawn; None without a budget."""
        return self._remaining

    def choose(self, value: Array, cost: Array | None, feasible: NDArray[np.bool_]) -> Choice:
        """Choose one of ``K`` candidates.

        Feasibility comes before the budget: of candidates that it does not cover, an infeasible
        one is taken only where all are infeasible.

        Args:
            value: (K,) larger is better.
            cost: (K,) predicted cost of each; None for a planner without a cost model.
            feasible: (K,).

        Raises:
            InvalidParameterError: There is a budget, and the planner has no cost model.
        """
        if self._remaining is None:
            index, reason = best_feasible(value, feasible)
            return Choice(index, reason, float("nan") if cost is None else float(cost[index]))
        if cost is None:
            raise InvalidParameterError(
                "budget for a planner without a cost model", got=self._remaining,
                expected="no budget", remedy="Choose a planner whose candidates have a cost.",
            )  # fmt: skip
        within = feasible & (cost <= self._remaining)
        if within.any():
            index, reason = best_feasible(value, within)[0], Reason.WITHIN_BUDGET
        else:
            pool = feasible if feasible.any() else np.ones_like(feasible)
            index, reason = int(np.argmin(np.where(pool, cost, np.inf))), Reason.LEAST_COSTLY
        return Choice(index, reason, float(cost[index]))

    def spend(self, cost: float) -> None:
        """Take the cost of what was executed until the next call out of the budget.

        Raises:
            ValueError: The cost is negative or not a number.
        """
        if not cost >= 0:
            raise ValueError(f"a cost is a number from 0, not {cost}")
        if self._remaining is not None:
            self._remaining = (self._remaining - cost) / self._discount
