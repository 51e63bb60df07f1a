"""From an episode of a recording to the arrays of a data set, rewards and costs among them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from planner_core.dataset_file import StoredEpisode
from planner_core.dataset_labels import proximity_costs, rewards
from planner_core.robot import Robot

from episode_recorder.conversion import Episode


@dataclass(frozen=True, slots=True)
class Labels:
    """How episodes are judged.

    Attributes:
        reward: Name of the reward.
        clearance_m: A step that ends closer to something costs one [m].
    """

    reward: str = "progress"
    clearance_m: float = 0.15


def stored_episode(
    episode: Episode, robot: Robot, labels: Labels, attributes: Mapping[str, Any]
) -> StoredEpisode:
    """An episode with rewards and costs.

    Args:
        episode: What was recorded.
        robot: Whose.
        labels: How it is judged.
        attributes: Where it comes from.
    """
    arrays = {f"observations/{name}": values for name, values in episode.observations.items()}
    arrays["actions"] = episode.acceleration[:-1]
    for name, values in zip(("position", "velocity", "acceleration"), episode.command, strict=True):
        arrays[f"infos/command_{name}"] = values
    for name in ("position", "velocity", "acceleration"):
        arrays[f"infos/{name}"] = getattr(episode, name)
    arrays["terminations"] = np.zeros(episode.steps, dtype=bool)
    arrays["truncations"] = np.zeros(episode.steps, dtype=bool)
    arrays["terminations" if episode.terminated else "truncations"][-1] = True
    arrays |= label_arrays(arrays, robot, labels, episode.success)
    known = {"success": episode.success, "start_ns": episode.start_ns}
    return StoredEpisode(arrays, {**attributes, **known})


def label_arrays(
    arrays: Mapping[str, np.ndarray], robot: Robot, labels: Labels, success: bool
) -> dict[str, np.ndarray]:
    """Rewards and costs of an episode, by path in its group."""
    # A heading is no distance: it is left out.
    columns = [i for i, name in enumerate(robot.names) if name != "yaw"]
    position = arrays["infos/position"][:, columns]
    goal = arrays["observations/goal"][:, columns]
    found = {"rewards": rewards(labels.reward, position, goal, success)}
    if "observations/scan" in arrays:
        found["infos/costs"] = proximity_costs(arrays["observations/scan"], labels.clearance_m)
    return found
