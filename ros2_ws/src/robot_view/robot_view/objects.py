"""Objects that a robot handles, as solids: from the named numbers that say where they are."""

from __future__ import annotations

import math
from collections.abc import Sequence

from planner_core.manipulation import CUBE_M

from robot_view.bodies import AXES
from robot_view.shapes import Kind, Shape

COLOURS = ((0.85, 0.2, 0.2), (0.2, 0.4, 0.85), (0.2, 0.7, 0.3), (0.9, 0.75, 0.2))


def object_shapes(names: Sequence[str], values: Sequence[float]) -> tuple[Shape, ...]:
    """A cube for each ``<object>`` of which ``<object>_x``, ``_y`` and ``_z`` are known.

    Args:
        names: Of the quantities.
        values: In the same order [m], ``<object>_yaw`` [rad].
    """
    known = dict(zip(names, values, strict=False))
    objects = dict.fromkeys(name.removesuffix("_x") for name in names if name.endswith("_x"))
    shapes = []
    for index, name in enumerate(objects):
        place = [known.get(f"{name}_{axis}", math.nan) for axis in AXES]
        if not all(math.isfinite(value) for value in place):
            continue
        half = known.get(f"{name}_yaw", 0.0) / 2
        shapes.append(
            Shape(
                Kind.BOX, (place[0], place[1], place[2]), (CUBE_M,) * 3,
                (math.cos(half), 0.0, 0.0, math.sin(half)), COLOURS[index % len(COLOURS)], 1.0,
            )
        )  # fmt: skip
    return tuple(shapes)
