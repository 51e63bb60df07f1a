"""Rooms with obstacles: what a navigating robot may hit, and where it is asked to go.

A world is an axis-aligned room with vertical cylinders and boxes that stand on the floor or hang
in the air. Distances and ray casts are closed-form and vectorised, so that the same geometry serves
the simulator, the data generator, the goal check and the viewer.

Frames follow REP-103: x forward, y left, z up, metres and radians, in the frame ``map``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from planner_core.errors import WorldError
from planner_core.grid_search import shortest_path
from planner_core.plain_data import read_yaml

Array = NDArray[np.float64]

CYLINDER_FIELDS: Final = ("x_m", "y_m", "radius_m", "bottom_m", "top_m")
BOX_FIELDS: Final = ("x_m", "y_m", "z_m", "length_m", "width_m", "height_m", "yaw_rad")
POSE_FIELDS: Final = ("x_m", "y_m", "z_m", "yaw_rad")


def _frozen(values: ArrayLike, columns: int) -> Array:
    array = np.array(values, dtype=np.float64).reshape(-1, columns)
    array.setflags(write=False)
    return array


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """A room, its obstacles, and the flight that is asked for in it.

    Attributes:
        name: Shown in reports and bag provenance.
        lower: (3,) [m] lower corner of the room.
        upper: (3,) [m] upper corner of the room.
        cylinders: (n, 5) [m] x, y, radius, bottom, top of each vertical cylinder.
        boxes: (m, 7) [m, rad] centre x, y, z, length, width, height, yaw of each box.
        start: (4,) [m, rad] x, y, z, yaw at which the flight begins.
        goal: (4,) [m, rad] x, y, z, yaw at which it ends.
    """

    name: str
    lower: Array
    upper: Array
    cylinders: Array
    boxes: Array
    start: Array
    goal: Array

    def clearance(self, points: ArrayLike) -> Array:
        """Signed distance to the nearest surface.

        Args:
            points: (..., 3) [m] positions.

        Returns:
            (...) [m] positive in free space, negative inside an obstacle or outside the room.
        """
        p = np.asarray(points, dtype=np.float64)
        nearest = np.minimum(p - self.lower, self.upper - p).min(axis=-1)
        return np.asarray(np.minimum(nearest, self.obstacle_distance(p)))

    def obstacle_distance(self, points: ArrayLike) -> Array:
        """Signed distance to the nearest obstacle, walls left out.

        Args:
            points: (..., 3) [m] positions.

        Returns:
            (...) [m] positive outside every obstacle; infinite where there is none.
        """
        p = np.asarray(points, dtype=np.float64)
        nearest = np.full(p.shape[:-1], np.inf)
        if len(self.cylinders):
            x, y, radius, bottom, top = self.cylinders.T
            radial = np.hypot(p[..., None, 0] - x, p[..., None, 1] - y) - radius
            vertical = np.abs(p[..., None, 2] - (bottom + top) / 2) - (top - bottom) / 2
            nearest = np.minimum(nearest, _extruded(radial, vertical).min(axis=-1))
        if len(self.boxes):
            x, y, z, length, width, height, yaw = self.boxes.T
            dx, dy = p[..., None, 0] - x, p[..., None, 1] - y
            c, s = np.cos(yaw), np.sin(yaw)
            planar = _extruded(
                np.abs(c * dx + s * dy) - length / 2, np.abs(-s * dx + c * dy) - width / 2
            )
            vertical = np.abs(p[..., None, 2] - z) - height / 2
            nearest = np.minimum(nearest, _extruded(planar, vertical).min(axis=-1))
        return nearest

    def scan(self, origins: ArrayLike, angles: ArrayLike, max_range_m: float) -> Array:
        """Horizontal ray cast against obstacles and walls.

        Args:
            origins: (..., 3) [m] positions of the sensor.
            angles: (..., N) [rad] directions in the world frame.
            max_range_m: Length at which a ray ends.

        Returns:
            (..., N) [m] ranges, ``max_range_m`` where nothing was hit, 0 from inside an obstacle.
        """
        o = np.asarray(origins, dtype=np.float64)[..., None, :]
        a = np.asarray(angles, dtype=np.float64)
        dx, dy = np.cos(a), np.sin(a)
        ranges = np.full(np.broadcast_shapes(o.shape[:-1], a.shape), float(max_range_m))
        with np.errstate(divide="ignore", invalid="ignore"):
            for axis, direction in ((0, dx), (1, dy)):
                wall = np.where(direction > 0, self.upper[axis], self.lower[axis])
                reach = (wall - o[..., axis]) / direction
                ranges = np.minimum(ranges, np.where(direction == 0, np.inf, reach))
        for x, y, radius, bottom, top in self.cylinders:
            level = (o[..., 2] >= bottom) & (o[..., 2] <= top)
            hit = _ray_to_circle(x - o[..., 0], y - o[..., 1], dx, dy, radius)
            ranges = np.where(level, np.minimum(ranges, hit), ranges)
        for x, y, z, length, width, height, yaw in self.boxes:
            level = np.abs(o[..., 2] - z) <= height / 2
            c, s = np.cos(yaw), np.sin(yaw)
            ox, oy = o[..., 0] - x, o[..., 1] - y
            hit = _ray_to_rectangle(
                c * ox + s * oy, -s * ox + c * oy, c * dx + s * dy, -s * dx + c * dy,
                length / 2, width / 2,
            )  # fmt: skip
            ranges = np.where(level, np.minimum(ranges, hit), ranges)
        return np.asarray(np.maximum(ranges, 0.0))

    def to_dict(self) -> dict[str, Any]:
        """The world in the form of the YAML files of ``config/worlds/``."""
        return {
            "name": self.name,
            "room": {"lower_m": self.lower.tolist(), "upper_m": self.upper.tolist()},
            "cylinders": [_named(CYLINDER_FIELDS, row) for row in self.cylinders],
            "boxes": [_named(BOX_FIELDS, row) for row in self.boxes],
            "start": _named(POSE_FIELDS, self.start),
            "goal": _named(POSE_FIELDS, self.goal),
        }


def _named(fields: tuple[str, ...], row: Array) -> dict[str, float]:
    return dict(zip(fields, map(float, row), strict=True))


def _extruded(a: Array, b: Array) -> Array:
    """Signed distance of the intersection of two orthogonal slabs from their signed distances."""
    outside = np.hypot(np.maximum(a, 0.0), np.maximum(b, 0.0))
    return np.asarray(outside + np.minimum(np.maximum(a, b), 0.0))


def _ray_to_circle(cx: Array, cy: Array, dx: Array, dy: Array, radius: float) -> Array:
    along = cx * dx + cy * dy
    gap = radius**2 - (cx**2 + cy**2 - along**2)
    half_chord = np.sqrt(np.maximum(gap, 0.0))
    hit = np.where((gap >= 0) & (along + half_chord >= 0), along - half_chord, np.inf)
    return np.asarray(np.maximum(hit, 0.0))


def _ray_to_rectangle(
    ox: Array, oy: Array, dx: Array, dy: Array, half_length: float, half_width: float
) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        tx = np.stack([(-half_length - ox) / dx, (half_length - ox) / dx])
        ty = np.stack([(-half_width - oy) / dy, (half_width - oy) / dy])
    # 0/0 on a face: the ray slides along it, which bounds nothing.
    near_x, far_x = np.nan_to_num(tx.min(0), nan=-np.inf), np.nan_to_num(tx.max(0), nan=np.inf)
    near_y, far_y = np.nan_to_num(ty.min(0), nan=-np.inf), np.nan_to_num(ty.max(0), nan=np.inf)
    near, far = np.maximum(near_x, near_y), np.minimum(far_x, far_y)
    return np.where((near <= far) & (far >= 0), np.maximum(near, 0.0), np.inf)


def world_from_dict(data: Any, *, source: str) -> World:
    """Build a world from the content of a world file.

    Args:
        data: The parsed YAML.
        source: Where it came from, for error messages.

    Raises:
        WorldError: A field is missing, unknown, or not a finite number; sizes are not positive; or
            the start or goal is not in free space.
    """
    if not isinstance(data, dict):
        raise WorldError(f"world {source}", got=type(data).__name__, expected="a mapping")
    known = {"name", "room", "cylinders", "boxes", "start", "goal"}
    if extra := set(data) - known:
        raise WorldError(f"world {source}: unknown keys", got=sorted(extra), expected=sorted(known))
    room = _section(data, "room", ("lower_m", "upper_m"), source)
    lower, upper = (_numbers(room[k], 3, f"{source}: room.{k}") for k in ("lower_m", "upper_m"))
    cylinders = _rows(data.get("cylinders", []), CYLINDER_FIELDS, f"{source}: cylinders")
    boxes = _rows(data.get("boxes", []), BOX_FIELDS, f"{source}: boxes")
    start, goal = (
        _rows([data.get(key)], POSE_FIELDS, f"{source}: {key}")[0] for key in ("start", "goal")
    )
    world = World(str(data.get("name", source)), lower, upper, cylinders, boxes, start, goal)
    if not np.all(lower < upper):
        raise WorldError(f"world {source}: room", got=f"{lower}..{upper}", expected="lower < upper")
    if np.any(cylinders[:, 2] <= 0) or np.any(cylinders[:, 3] >= cylinders[:, 4]):
        raise WorldError(f"world {source}: cylinders", expected="radius > 0 and bottom < top")
    if np.any(boxes[:, 3:6] <= 0):
        raise WorldError(f"world {source}: boxes", expected="length, width and height > 0")
    for key, pose in (("start", start), ("goal", goal)):
        if (free := float(world.clearance(pose[:3]))) <= 0:
            raise WorldError(
                f"world {source}: {key} is not in free space", got=f"clearance {free:.2f} m"
            )
    return world


def _section(data: dict[str, Any], key: str, fields: tuple[str, ...], source: str) -> Any:
    section = data.get(key)
    if not isinstance(section, dict) or set(section) != set(fields):
        raise WorldError(f"world {source}: {key}", got=section, expected=f"keys {list(fields)}")
    return section


def _numbers(values: Any, count: int, where: str) -> Array:
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        array = np.array([])
    if array.shape != (count,) or not np.isfinite(array).all():
        raise WorldError(f"world {where}", got=values, expected=f"{count} finite numbers")
    array.setflags(write=False)
    return array


def _rows(entries: Any, fields: tuple[str, ...], where: str) -> Array:
    if not isinstance(entries, list):
        raise WorldError(f"world {where}", got=type(entries).__name__, expected="a list")
    rows = []
    for entry in entries:
        if not isinstance(entry, dict) or set(entry) != set(fields):
            raise WorldError(f"world {where}", got=entry, expected=f"keys {list(fields)}")
        rows.append(_numbers([entry[field] for field in fields], len(fields), where))
    return _frozen(rows, len(fields))


def load_world(path: str | Path) -> World:
    """Read a world file.

    Raises:
        WorldError: The file is missing, is not YAML, or does not describe a world.
    """
    path = Path(path)
    try:
        data = read_yaml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise WorldError(f"world file {path}: {error.strerror}") from error
    except ValueError as error:
        raise WorldError(f"world file {path} is not YAML", got=error) from error
    return world_from_dict(data, source=path.name)


def random_world(
    seed: int,
    *,
    density_per_m2: float = 0.25,
    size_m: tuple[float, float, float] = (10.0, 6.0, 2.4),
    passage_m: float = 0.5,
    obstacle_free_m: float = 0.7,
) -> World:
    """Draw a cluttered room that can be crossed.

    Start and goal lie near opposite short walls; cylinders (three in four) and boxes reach from the
    floor to the ceiling, so that the room has to be threaded, not overflown. Worlds without a
    passage of width ``passage_m`` from start to goal are drawn again from the same stream, so a
    seed names exactly one world.

    Args:
        seed: Names the world.
        density_per_m2: Obstacles per square metre of floor.
        size_m: Length, width and height of the room.
        passage_m: Width of the passage that must exist.
        obstacle_free_m: Radius without obstacle surfaces around start and goal.

    Raises:
        WorldError: The numbers are out of range, or 100 draws gave no world that can be crossed.
    """
    length, width, height = size_m
    if not (0 <= density_per_m2 <= 1.5) or length < 4 or width < 2 or height < 1:
        raise WorldError(
            "random world",
            got=f"density {density_per_m2}/m^2, size {size_m} m",
            expected="density in [0, 1.5] per m^2, room at least 4 x 2 x 1 m",
        )
    rng = np.random.default_rng(seed)
    lower = np.array([-length / 2, -width / 2, 0.0])
    upper = np.array([length / 2, width / 2, height])
    for _ in range(100):
        count = round(density_per_m2 * length * width)
        margin = 0.8
        y = rng.uniform(-width / 2 + margin, width / 2 - margin, size=2)
        z = rng.uniform(0.8, min(1.4, height - 0.5), size=2)
        start = np.array([lower[0] + margin, y[0], z[0], 0.0])
        goal = np.array([upper[0] - margin, y[1], z[1], 0.0])
        xy = rng.uniform(lower[:2], upper[:2], size=(count, 2))
        radius = rng.uniform(0.12, 0.35, size=count)
        aspect = rng.uniform(0.6, 1.0, size=count)
        yaw = rng.uniform(-np.pi / 2, np.pi / 2, size=count)
        is_box = rng.random(count) < 0.25
        ends = np.stack([start[:2], goal[:2]])
        gap = np.linalg.norm(xy[:, None] - ends, axis=-1).min(axis=1) - radius * np.sqrt(2)
        keep = gap > obstacle_free_m
        cylinders = [
            (*p, r, 0.0, height)
            for p, r in zip(xy[keep & ~is_box], radius[keep & ~is_box], strict=True)
        ]
        boxes = [
            (*p, height / 2, 2 * r, 2 * r * q, height, w)
            for p, r, q, w in zip(
                *(v[keep & is_box] for v in (xy, radius, aspect, yaw)), strict=True
            )
        ]
        world = World(
            f"random-{seed}", _frozen(lower, 3)[0], _frozen(upper, 3)[0], _frozen(cylinders, 5),
            _frozen(boxes, 7), _frozen(start, 4)[0], _frozen(goal, 4)[0],
        )  # fmt: skip
        if shortest_path(world, start[:3], goal[:2], inflation_m=passage_m / 2) is not None:
            return world
    raise WorldError(
        f"random world {seed}: no passage in 100 draws",
        got=f"density {density_per_m2}/m^2, passage {passage_m} m",
        remedy="Lower the density or the passage width.",
    )
