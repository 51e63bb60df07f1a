"""A picture of a walk: the robot along its way, and how fast it went.

Letters: ``T`` rows of a walk.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import mujoco
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray
from robot_simulation.go2.model import LEGS, make_model
from trajectory_learning.problems.go2.demonstration import (
    SENSE_S,
    Demonstration,
    DemonstrationConfig,
)

Array = NDArray[np.float64]

COLOURS = ("#c0392b", "#2471a3", "#b9770e", "#1e8449")
"""Of the legs."""


def walking_picture(walked: Demonstration, config: DemonstrationConfig, file: Path) -> None:
    """Draw a walk.

    Args:
        walked: The walk.
        config: What was asked for.
        file: PNG to write.
    """
    figure, (side, above, speed) = plt.subplots(
        3, 1, figsize=(9, 8.5), height_ratios=(2.2, 1.6, 2), layout="constrained"
    )
    _strides(side, walked)
    above.plot(walked.position[:, 0], walked.position[:, 1], color="#2471a3")
    above.set(xlabel="x [m]", ylabel="y [m]", title="The way of the trunk, from above")
    above.axis("equal")
    time_s = np.arange(len(walked.velocity)) * SENSE_S
    for values, label, colour in (
        (walked.velocity, "true", "#2471a3"), (walked.estimate, "estimated", "#b9770e"),
    ):  # fmt: skip
        speed.plot(time_s, values[:, 0], color=colour, label=label, linewidth=0.8)
    speed.axhline(config.velocity_x, color="black", linestyle="--", label="commanded")
    speed.set(xlabel="time [s]", ylabel="velocity ahead [m/s]", ylim=(-0.2, 1.2))
    speed.legend(loc="lower right", ncols=3)
    figure.savefig(file, dpi=110)
    plt.close(figure)


def _strides(axes: Axes, walked: Demonstration, count: int = 5, every_s: float = 0.88) -> None:
    """The robot from its right side, at some moments after it has begun to walk."""
    model = make_model()
    data = mujoco.MjData(model)
    begin = min(round(3.0 / SENSE_S), max(0, len(walked.posture) - 1))
    rows = begin + round(every_s / SENSE_S) * np.arange(count)
    for row in rows[rows < len(walked.posture)]:
        data.qpos[:] = walked.posture[row]
        mujoco.mj_kinematics(model, data)
        for leg, colour in zip(LEGS, COLOURS, strict=True):
            points = [data.body(f"{leg}_{part}").xpos for part in ("hip", "thigh", "calf")]
            path: Array = np.array([*points, data.geom(f"{leg}_foot").xpos])
            axes.plot(path[:, 0], path[:, 2], color=colour, linewidth=2)
        corners = np.array([[-1, 0, -1], [1, 0, -1], [1, 0, 1], [-1, 0, 1], [-1, 0, -1]])
        trunk = corners * model.geom("trunk").size @ data.body("base").xmat.reshape(3, 3).T
        trunk += data.body("base").xpos
        axes.fill(trunk[:, 0], trunk[:, 2], color="#7f8c8d", alpha=0.7)
    axes.axhline(0.0, color="black", linewidth=1)
    axes.set(xlabel="x [m]", ylabel="z [m]", title="Every second stride, from the side")
    axes.axis("equal")
