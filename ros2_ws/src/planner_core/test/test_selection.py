"""Selection with a budget: MPDiffuser, Algorithm 2."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from planner_core.errors import InvalidParameterError
from planner_core.selection import BudgetedSelection, Reason

VALUE = np.array([4.0, 3.0, 2.0, 1.0])
COST = np.array([5.0, 3.0, 1.0, 0.0])
ALL, NONE = np.ones(4, dtype=np.bool_), np.zeros(4, dtype=np.bool_)


@pytest.mark.parametrize(
    ("budget", "feasible", "index", "reason"),
    [
        (None, ALL, 0, Reason.BEST_FEASIBLE),
        (None, np.array([False, True, True, True]), 1, Reason.BEST_FEASIBLE),
        (None, NONE, 0, Reason.BEST_OF_ALL),
        (9.0, ALL, 0, Reason.WITHIN_BUDGET),
        (3.0, ALL, 1, Reason.WITHIN_BUDGET),
        (0.5, np.array([True, True, True, False]), 2, Reason.LEAST_COSTLY),
        (9.0, NONE, 3, Reason.LEAST_COSTLY),
    ],
)
def test_choice(budget: float | None, feasible: np.ndarray, index: int, reason: Reason) -> None:
    choice = BudgetedSelection(budget).choose(VALUE, COST, feasible)
    assert (choice.index, choice.reason, choice.cost) == (index, reason, COST[index])


def test_a_planner_without_costs_needs_no_budget() -> None:
    choice = BudgetedSelection().choose(VALUE, None, ALL)
    assert choice.index == 0
    assert np.isnan(choice.cost)
    with pytest.raises(InvalidParameterError, match="cost model"):
        BudgetedSelection(1.0).choose(VALUE, None, ALL)


@given(
    st.lists(st.floats(0, 10), max_size=20), st.floats(0, 100), st.floats(0.5, 1.0),
)  # fmt: skip
def test_the_discounted_sum_of_costs_stays_within_the_budget(
    costs: list[float], budget: float, discount: float
) -> None:
    selection = BudgetedSelection(budget, discount)
    paid = 0.0
    for step, cost in enumerate(costs):
        assert selection.remaining is not None
        if cost <= selection.remaining:
            selection.spend(cost)
            paid += discount**step * cost
        else:
            selection.spend(0.0)
    assert paid <= budget * (1 + 1e-9) + 1e-9


@pytest.mark.parametrize(("budget", "discount"), [(-1.0, 1.0), (np.inf, 1.0), (1.0, 0.0)])
def test_impossible_settings_are_refused(budget: float, discount: float) -> None:
    with pytest.raises(InvalidParameterError):
        BudgetedSelection(budget, discount)


@pytest.mark.parametrize("cost", [-1.0, np.nan])
def test_impossible_costs_are_refused(cost: float) -> None:
    with pytest.raises(ValueError, match="cost"):
        BudgetedSelection(1.0).spend(cost)
