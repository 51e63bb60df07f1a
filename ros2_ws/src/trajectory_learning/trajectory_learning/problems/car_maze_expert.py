"""The car of the U-maze, and the nonlinear model predictive controller that drove its data.

All cars of a data set are driven at once: the controller is vectorised over ``n``.

**Source**: the iterative LQR of W. Li and E. Todorov, "Iterative linear quadratic regulator design
for nonlinear biological movement systems", 2004, with Gauss-Newton costs, in receding horizon.

Letters: ``n`` cars, ``L`` steps of a drive, ``H`` steps that the controller looks ahead.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

DT_S = 0.25
WHEELBASE_M = 0.5
STEERING_LIMIT = 0.6
"""[rad]"""
SPEED_LIMIT = 5.0
"""[m/s]"""
ACTION_LIMIT = np.array([3.0, 2.0])
"""Acceleration [m/s^2], steering rate [rad/s]."""

POSITION_WEIGHT, ACTION_WEIGHT = 10.0, np.array([0.05, 0.05])


def step(state: Array, action: Array) -> Array:
    """The next state of the kinematic bicycle.

    Args:
        state: (..., 5) position [m], heading [rad], speed [m/s], steering angle [rad].
        action: (..., 2) acceleration [m/s^2], steering rate [rad/s]; clipped to its limits.

    Returns:
        (..., 5).
    """
    action = np.clip(action, -ACTION_LIMIT, ACTION_LIMIT)
    x, y, heading, speed, steering = np.moveaxis(state, -1, 0)
    new_speed = np.clip(speed + action[..., 0] * DT_S, -SPEED_LIMIT, SPEED_LIMIT)
    new_steering = np.clip(steering + action[..., 1] * DT_S, -STEERING_LIMIT, STEERING_LIMIT)
    # Midpoint rule: with 0.25 s Euler's would leave the circle that is steered.
    speed = (speed + new_speed) / 2
    turn = speed / WHEELBASE_M * np.tan((steering + new_steering) / 2) * DT_S
    along = heading + turn / 2
    return np.stack(
        [
            x + speed * np.cos(along) * DT_S,
            y + speed * np.sin(along) * DT_S,
            heading + turn,
            new_speed,
            new_steering,
        ],
        axis=-1,
    )


def rollout(state: Array, actions: Array) -> Array:
    """(n, 5), (n, L, 2) -> (n, L, 5) states that follow."""
    states = []
    for t in range(actions.shape[1]):
        state = step(state, actions[:, t])
        states.append(state)
    return np.stack(states, axis=1)


class Expert:
    """Follows position references.

    Args:
        horizon: ``H``.
        iterations: Improvements of the plan at each step.
    """

    def __init__(self, horizon: int = 10, iterations: int = 2) -> None:
        self._horizon, self._iterations = horizon, iterations

    def drive(self, state: Array, reference: Array) -> tuple[Array, Array]:
        """Drive along references.

        Args:
            state: (n, 5).
            reference: (n, L, 2) [m] position wanted after each step.

        Returns:
            (n, L + 1, 5) states, (n, L, 2) actions.
        """
        n, steps, _ = reference.shape
        end = np.repeat(reference[:, -1:], self._horizon, axis=1)
        ahead = np.concatenate([reference, end], axis=1)
        plan = np.zeros((n, self._horizon, 2))
        states, actions = [state], []
        for t in range(steps):
            for _ in range(self._iterations):
                plan = _improved(state, plan, ahead[:, t : t + self._horizon])
            actions.append(plan[:, 0])
            state = step(state, plan[:, 0])
            states.append(state)
            plan = np.concatenate([plan[:, 1:], np.zeros((n, 1, 2))], axis=1)
        return np.stack(states, axis=1), np.stack(actions, axis=1)


def _cost(states: Array, actions: Array, reference: Array) -> Array:
    """(n,) cost of plans."""
    error = states[..., :2] - reference
    spent = (ACTION_WEIGHT * actions**2).sum(axis=(1, 2))
    return POSITION_WEIGHT * (error**2).sum(axis=(1, 2)) + spent


def _improved(state: Array, plan: Array, reference: Array) -> Array:
    """One step of the iterative LQR; a plan that it would worsen stays."""
    n, horizon, _ = plan.shape
    states = rollout(state, plan)
    before = np.concatenate([state[:, None], states[:, :-1]], axis=1)
    A, B = _jacobians(before, plan)
    value_x, value_xx = np.zeros((n, 5)), np.zeros((n, 5, 5))
    feed, gains = np.empty((n, horizon, 2)), np.empty((n, horizon, 2, 5))
    of_position = np.diag([2 * POSITION_WEIGHT] * 2 + [0.0] * 3)
    of_action = np.diag(2 * ACTION_WEIGHT)
    for t in reversed(range(horizon)):
        value_x = value_x.copy()
        value_x[:, :2] += 2 * POSITION_WEIGHT * (states[:, t, :2] - reference[:, t])
        value_xx = value_xx + of_position
        A_t, B_t = A[:, t], B[:, t]
        transposed_A, transposed_B = A_t.transpose(0, 2, 1), B_t.transpose(0, 2, 1)
        Q_u = (transposed_B @ value_x[..., None])[..., 0] + 2 * ACTION_WEIGHT * plan[:, t]
        Q_uu = transposed_B @ value_xx @ B_t + of_action
        Q_ux = transposed_B @ value_xx @ A_t
        solved = -np.linalg.solve(Q_uu, np.concatenate([Q_u[..., None], Q_ux], axis=2))
        feed[:, t], gains[:, t] = solved[..., 0], solved[..., 1:]
        value_x = (transposed_A @ value_x[..., None])[..., 0] + (
            Q_ux.transpose(0, 2, 1) @ feed[:, t, :, None]
        )[..., 0]
        value_xx = transposed_A @ value_xx @ A_t + Q_ux.transpose(0, 2, 1) @ gains[:, t]
    best, best_cost = plan, _cost(states, plan, reference)
    for share in (1.0, 0.3):
        x, actions, following = state, np.empty_like(plan), np.empty_like(states)
        for t in range(horizon):
            change = (gains[:, t] @ (x - before[:, t])[..., None])[..., 0]
            actions[:, t] = np.clip(
                plan[:, t] + share * feed[:, t] + change, -ACTION_LIMIT, ACTION_LIMIT
            )
            x = following[:, t] = step(x, actions[:, t])
        cost = _cost(following, actions, reference)
        better = cost < best_cost
        best = np.where(better[:, None, None], actions, best)
        best_cost = np.where(better, cost, best_cost)
    return best


def _jacobians(state: Array, action: Array, h: float = 1e-5) -> tuple[Array, Array]:
    """(..., 5, 5) and (..., 5, 2) by central differences."""
    A = [(step(state + h * e, action) - step(state - h * e, action)) / (2 * h) for e in np.eye(5)]
    B = [(step(state, action + h * e) - step(state, action - h * e)) / (2 * h) for e in np.eye(2)]
    return np.stack(A, axis=-1), np.stack(B, axis=-1)
