"""``python -m robot_simulation.so100.demonstrations``: scripted episodes as training data.

Every state that an episode comes through is kept with what the script would do from there; with
``--scattered`` so are states anywhere, from which an arm has to find back. With ``--bundle`` a
learned planner moves the arm and the script only says what it would have done, so that the data
hold the states that the planner gets into (S. Ross et al., "A reduction of imitation learning and
structured prediction to no-regret online learning", 2011).

The file is a NumPy archive; nothing in it is executed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from planner_core.arm_kinematics import reach, tool_of
from planner_core.errors import NoPathError, PlanningError
from planner_core.manipulation import CUBE_M, OBJECTS, PlaceObject, StackObject
from planner_core.plan import Observation, PlanBatch, TrajectoryGenerator
from planner_core.planners import PlannerRequest, load_planner
from planner_core.robots import so100
from planner_core.scripted_manipulation import HOME, ManipulationScript, ScriptedPlacing
from planner_core.tasks import Task
from robot_simulation.so100.episodes import ArmEpisode, EpisodeOutcome
from robot_simulation.so100.simulation import placements

FIRST_TRAINING_SEED: Final = 1_000_000
"""Seeds of places in the data begin here; evaluation uses the seeds below."""
TASKS: Final[dict[str, Task]] = {"pick_place": PlaceObject(), "stack": StackObject()}
EVERY: Final = 2
"""Of so many observations of a learned planner one is kept."""
DISTURBANCE_RAD: Final = 0.015


@dataclass
class Demonstrations:
    """Observations, and what the script does from there."""

    columns: dict[str, list[np.ndarray]]

    def add(self, observation: Observation, window: np.ndarray, episode: int) -> None:
        """Keep one."""
        rows = {
            "position": observation.position,
            "velocity": observation.velocity,
            "object": observation.sensors[OBJECTS],
            "goal": observation.goal,
            "window": window,
            "episode": np.array(episode),
        }
        for name, row in rows.items():
            self.columns.setdefault(name, []).append(row)

    def save(self, path: Path, command: str) -> str:
        """Write the file; returns the content's hash."""
        arrays = {
            name: np.asarray(rows, dtype=np.int32 if name == "episode" else np.float32)
            for name, rows in self.columns.items()
        }
        digest = hashlib.sha256()
        for name in sorted(arrays):
            digest.update(name.encode() + arrays[name].tobytes())
        about = {"command": command, "sha256": digest.hexdigest()}
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, about=np.array(json.dumps(about)), **arrays)
        return digest.hexdigest()


def random_script(rng: np.random.Generator) -> ManipulationScript:
    """As different as demonstrators are: fast or slow, high or low."""
    return ManipulationScript(
        high_m=rng.uniform(0.068, 0.078),
        speed_rad_s=rng.uniform(1.3, 2.2),
        acceleration_rad_s2=rng.uniform(9.0, 15.0),
        approach_hz=rng.uniform(6.0, 9.0),
    )


def scattered(rng: np.random.Generator) -> Observation:
    """An arm anywhere, and an object that lies anywhere, is held, or is at its place.

    Raises:
        NoPathError: The arm cannot be there; draw again.
    """
    here, there = placements(int(rng.integers(2**31)), 2)
    thing = np.array([here.x_m, here.y_m, CUBE_M / 2])
    goal = np.array([there.x_m, there.y_m, rng.choice([0.5, 1.5]) * CUBE_M])
    gripper = rng.uniform(-0.15, 0.95)
    kind = rng.choice(["anywhere", "beside", "held", "placed"])
    point = np.array([*rng.uniform([0.16, -0.16], [0.25, 0.16]), rng.uniform(0.01, 0.2)])
    if kind == "beside":
        point = thing + rng.normal(0.0, 0.02, 3)
    elif kind == "held":
        gripper = rng.uniform(-0.15, 0.02)
        near = goal + rng.normal(0.0, 0.015, 3)
        point = np.array([*(near if rng.random() < 0.5 else point)[:2], rng.uniform(0.01, 0.09)])
    elif kind == "placed":
        thing = goal + rng.normal(0.0, 0.004, 3)
        point = thing + rng.normal(0.0, 0.03, 3)
    point[2] = max(point[2], 0.008)
    yaw = here.yaw_rad + rng.normal(0.0, 0.1)
    joints = np.append(reach(*point, yaw_rad=yaw, open_m=rng.uniform(0.0, 0.008)), gripper)
    if kind == "anywhere":
        joints = HOME + rng.uniform() * (joints - HOME)
    joints = np.clip(joints + rng.normal(0.0, 0.03, 6), so100().lower, so100().upper)
    if kind == "held":
        thing = tool_of(joints) + rng.normal(0.0, 0.004, 3)
    velocity = rng.normal(0.0, 0.8, 6) * rng.uniform()
    objects = {OBJECTS: np.array([*thing, here.yaw_rad])}
    return Observation(0, joints, velocity, goal, objects)


def scatter(count: int, seed: int, data: Demonstrations) -> None:
    """Take in what scripts do from scattered states, each an episode of its own."""
    rng = np.random.default_rng((seed, 105))
    taken = 0
    while taken < count:
        expert = ScriptedPlacing(so100(), random_script(rng))
        try:
            observation = scattered(rng)
            batch = expert.plan(observation, None, 0, rng)
        except NoPathError:
            continue
        taken += 1
        data.add(observation, _window(batch), -(seed + taken))


def _window(batch: PlanBatch) -> np.ndarray:
    return np.stack([batch.position[0], batch.velocity[0], batch.acceleration[0]])


def demonstrate(
    name: str, seed: int, data: Demonstrations, mover: TrajectoryGenerator | None
) -> EpisodeOutcome:
    """One episode.

    Args:
        name: Of the task.
        seed: Of everything.
        data: Taken into.
        mover: A planner that moves the arm; None lets the script do it, disturbed.
    """
    rng = np.random.default_rng((seed, 103))
    expert = ScriptedPlacing(so100(), random_script(rng))
    episode, seen = ArmEpisode(TASKS[name], name, seed), 0

    def visit(observation: Observation, batch: PlanBatch) -> None:
        nonlocal seen
        seen += 1
        if mover is not None and seen % EVERY:
            return
        if mover is not None:
            try:
                batch = expert.plan(observation, None, 0, rng)
            except NoPathError:
                return
        data.add(observation, _window(batch), seed)

    disturbance = DISTURBANCE_RAD if mover is None else DISTURBANCE_RAD / 2
    return episode.run(mover or expert, rng, limit_s=14.0, visit=visit, disturbance_rad=disturbance)


def main() -> int:
    """Run the command; returns the exit code."""
    parser = argparse.ArgumentParser(
        "python -m robot_simulation.so100.demonstrations", description=__doc__
    )
    parser.add_argument("--out", type=Path, required=True, help="file to write")
    parser.add_argument("--episodes", type=int, default=100, help="of each task")
    parser.add_argument("--scattered", type=int, default=0, help="states beside the episodes")
    parser.add_argument("--seed", type=int, default=0, help="first episode, of the training seeds")
    parser.add_argument("--bundle", type=Path, help="model of the planner that moves the arm")
    options = parser.parse_args()
    mover = None
    if options.bundle:
        mover = load_planner("one_step", PlannerRequest(so100(), options.bundle))
        mover.warm_up()
    data, outcomes = Demonstrations({}), []
    scatter(options.scattered, FIRST_TRAINING_SEED + options.seed, data)
    for index in range(options.episodes):
        for name in TASKS:
            seed = FIRST_TRAINING_SEED + options.seed + index
            try:
                outcomes.append(demonstrate(name, seed, data, mover).success)
            except PlanningError:
                outcomes.append(False)
    command = " ".join(["python -m robot_simulation.so100.demonstrations", *sys.argv[1:]])
    digest = data.save(options.out, command)
    count = len(data.columns["episode"])
    done = f"{sum(outcomes)} of {len(outcomes)} episodes succeeded"
    print(f"{options.out}: {count} windows, {done}, sha256 {digest}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
