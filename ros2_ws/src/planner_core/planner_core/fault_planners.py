"""Planners that fail on purpose, so that every way out of a failure can be provoked in a test.

The plugin ``fault`` needs no bundle: the model's name describes the fault, as

    FAULT[:NUMBER][@FIRST[-LAST]]

and calls outside ``FIRST`` to ``LAST`` (counted from 0) are answered as a healthy planner does.

| fault | what happens | number |
|---|---|---|
| ``none`` | nothing; straight at the goal, or in place for robots that do not navigate | |
| ``raise`` | the call raises the error of a code | code |
| ``raise_load`` | making the planner raises it | code |
| ``raise_warm_up`` | warming up raises it | code |
| ``exception`` | the call raises a ``RuntimeError``, as a mistake in a planner does | |
| ``hang`` | the call does not return for so long | s (10) |
| ``slow`` | the call takes so long longer, and is answered | s (0.2) |
| ``slow_load``, ``slow_warm_up`` | making it, warming it up takes so long | s (2) |
| ``nan``, ``infinite``, ``huge`` | NaN, infinity or 1e9 in one number of the plan | index (0) |
| ``wrong_width`` | the plan lacks the last degree of freedom | |
| ``reordered`` | names and columns of the degrees of freedom are reversed | |
| ``other_robot`` | the planner says that it plans for another robot | |
| ``displaced`` | the plan begins so far from the robot in its first degree of freedom | unit (1) |
| ``fast`` | the plan moves at so many times the velocity limit | factor (2) |
| ``harsh`` | the plan accelerates with so many times the limit | factor (2) |
| ``stale``, ``future`` | the plan begins so long before, after the time asked for | s (60) |
| ``infeasible`` | no candidate is feasible | |

The index counts through position, velocity and acceleration, row by row.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from planner_core.classical import StraightLinePlanner
from planner_core.clock import nanoseconds
from planner_core.errors import InvalidParameterError, error_codes
from planner_core.navigation import DOF_NAMES
from planner_core.plan import Array, GeneratorSpec, Observation, Plan, PlanBatch
from planner_core.robot import Robot

DEFAULTS: Final = {
    "none": 0.0, "raise": 400.0, "raise_load": 300.0, "raise_warm_up": 400.0, "exception": 0.0,
    "hang": 10.0, "slow": 0.2, "slow_load": 2.0, "slow_warm_up": 2.0, "nan": 0.0, "infinite": 0.0,
    "huge": 0.0, "wrong_width": 0.0, "reordered": 0.0, "other_robot": 0.0, "displaced": 1.0,
    "fast": 2.0, "harsh": 2.0, "stale": 60.0, "future": 60.0, "infeasible": 0.0,
}  # fmt: skip
ABSURD: Final = {"nan": np.nan, "infinite": np.inf, "huge": 1e9}
HORIZON, DT_S = 32, 0.1


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong, and when.

    Attributes:
        name: One of `DEFAULTS`.
        number: Its number; see the table of this module.
        first: First call that fails, counted from 0.
        last: Last call that fails; None for all from the first.
    """

    name: str
    number: float
    first: int = 0
    last: int | None = None


def parse_fault(text: str) -> Fault:
    """A fault from its description.

    Raises:
        InvalidParameterError: The text describes none; the message lists the faults.
    """
    match = re.fullmatch(r"(\w+?)(?::([\d.]+))?(?:@(\d+)(?:-(\d+))?)?", text)
    if match is None or match[1] not in DEFAULTS:
        raise InvalidParameterError(
            "fault", got=repr(text), expected=f"NAME[:NUMBER][@FIRST[-LAST]] of {list(DEFAULTS)}"
        )
    name, number, first, last = match.groups()
    fault = Fault(
        name, float(number or DEFAULTS[name]), int(first or 0), int(last) if last else None
    )
    if name.startswith("raise") and int(fault.number) not in error_codes():
        raise InvalidParameterError("fault code", got=fault.number, expected=list(error_codes()))
    return fault


class FaultPlanner:
    """A healthy planner that fails as it is told to.

    Args:
        robot: Robot to plan for.
        fault: What goes wrong.

    Raises:
        DriftpilotError: The fault is ``raise_load``.
    """

    def __init__(self, robot: Robot, fault: Fault) -> None:
        self._robot, self._fault = robot, fault
        self._calls = 0
        self._healthy = StraightLinePlanner(robot) if robot.names == DOF_NAMES else None
        spec = GeneratorSpec("fault", robot.name, robot.names, HORIZON, DT_S, 1, {})
        if fault.name == "reordered":
            spec = replace(spec, dof_names=robot.names[::-1])
        elif fault.name == "other_robot":
            spec = replace(spec, robot=f"not_{robot.name}")
        self._spec = spec
        self._break("raise_load", "slow_load")

    @property
    def spec(self) -> GeneratorSpec:
        """What it takes and gives, or says that it does."""
        return self._spec

    def warm_up(self) -> None:
        """Nothing to prepare.

        Raises:
            DriftpilotError: The fault is ``raise_warm_up``.
        """
        self._break("raise_warm_up", "slow_warm_up")

    def plan(
        self,
        observation: Observation,
        previous: Plan | None,
        deadline_ns: int,
        rng: np.random.Generator,
    ) -> PlanBatch:
        """One candidate, or the fault; see `TrajectoryGenerator.plan`.

        Raises:
            DriftpilotError: The fault is ``raise``.
            RuntimeError: The fault is ``exception``.
        """
        call, self._calls = self._calls, self._calls + 1
        last = call if self._fault.last is None else self._fault.last
        if not self._fault.first <= call <= last:
            return self._plan(observation, previous, deadline_ns, rng)
        if self._fault.name == "exception":
            raise RuntimeError("fault on purpose")
        self._break("raise", "hang", "slow")
        return self._spoil(self._plan(observation, previous, deadline_ns, rng))

    def reset(self) -> None:
        """Nothing to forget: calls are counted over all tasks."""

    def _break(self, *names: str) -> None:
        """Raise or wait, where the fault is one of these."""
        name, number = self._fault.name, self._fault.number
        if name not in names:
            return
        if name.startswith("raise"):
            raise error_codes()[int(number)]("fault on purpose")
        time.sleep(number)

    def _plan(
        self,
        observation: Observation,
        previous: Plan | None,
        deadline_ns: int,
        rng: np.random.Generator,
    ) -> PlanBatch:
        if self._healthy is not None:
            return self._healthy.plan(observation, previous, deadline_ns, rng)
        position = np.tile(observation.position, (1, HORIZON, 1))
        rest = np.zeros_like(position)
        return PlanBatch(
            observation.stamp_ns, DT_S, position, rest, rest, np.zeros(1), np.ones(1, np.bool_)
        )

    def _spoil(self, batch: PlanBatch) -> PlanBatch:
        """The batch with the fault in it."""
        name, number = self._fault.name, self._fault.number
        windows: Array = np.stack([batch.position, batch.velocity, batch.acceleration])
        start_ns, feasible = batch.start_ns, batch.feasible
        if name in ABSURD:
            windows.flat[int(number) % windows.size] = ABSURD[name]
        elif name == "wrong_width":
            windows = windows[..., :-1]
        elif name == "reordered":
            windows = windows[..., ::-1]
        elif name == "displaced":
            windows[0, ..., 0] += number
        elif name == "fast":
            time_s = np.arange(windows.shape[2]) * batch.dt_s
            speed = number * self._robot.velocity[0]
            windows[0, ..., 0] = windows[0, :, :1, 0] + speed * time_s
            windows[1, ..., 0] = speed
        elif name == "harsh":
            windows[2, ..., 0] = number * self._robot.acceleration[0]
        elif name in ("stale", "future"):
            start_ns += nanoseconds(number if name == "future" else -number)
        elif name == "infeasible":
            feasible = np.zeros_like(feasible)
        return PlanBatch(
            start_ns, batch.dt_s, windows[0], windows[1], windows[2], batch.value, feasible
        )
