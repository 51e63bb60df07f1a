"""Worlds by name: a file, or a random one by its seed."""

from __future__ import annotations

from pathlib import Path

from planner_core.errors import WorldError
from planner_core.world import World, load_world, random_world


def find_world(name: str, seed: int = 0, *, density_per_m2: float = 0.25) -> World:
    """The world that a launch argument or parameter names.

    Args:
        name: Path of a world file, or ``random``.
        seed: Names the random world.
        density_per_m2: Obstacles per square metre of a random world.

    Raises:
        WorldError: There is no such file, or it does not describe a world.
    """
    if name == "random":
        return random_world(seed, density_per_m2=density_per_m2)
    path = Path(name)
    if not path.is_file():
        folder = path.parent if path.parent.is_dir() else None
        known = sorted(p.stem for p in folder.glob("*.yaml")) if folder else []
        raise WorldError(
            "no such world", got=repr(name), expected=f"a world file, `random`, or one of {known}"
        )
    return load_world(path)
