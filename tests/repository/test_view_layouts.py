"""Layouts of RViz, Foxglove and PlotJuggler name topics, types and fields that the graph has."""

from __future__ import annotations

import importlib
import json
import re
import runpy
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
CONFIG = REPOSITORY / "config"
RVIZ = sorted((CONFIG / "rviz").glob("*.rviz"))
RVIZ_TYPES = {
    "rviz_default_plugins/MarkerArray": "visualization_msgs/MarkerArray",
    "rviz_default_plugins/Path": "nav_msgs/Path",
    "rviz_default_plugins/Odometry": "nav_msgs/Odometry",
    "rviz_default_plugins/LaserScan": "sensor_msgs/LaserScan",
    "rviz_default_plugins/Pose": "geometry_msgs/PoseStamped",
    "rviz_default_plugins/SetGoal": "geometry_msgs/PoseStamped",
}


@pytest.fixture(scope="module")
def topics() -> dict[str, set[str]]:
    """Types by topic, patterns where a part of the name varies."""
    sys.path.insert(0, str(REPOSITORY / "tools"))
    try:
        names = runpy.run_path(str(REPOSITORY / "tools" / "graph_names.py"))
    finally:
        sys.path.pop(0)
    found: dict[str, set[str]] = {}
    for end in names["connections"](REPOSITORY / "ros2_ws" / "src"):
        if end.kind in ("publisher", "subscription"):
            pattern = "/" + re.sub(r"<[^>]*>", "*", end.name).lstrip("/")
            found.setdefault(pattern, set()).add(end.type)
    return found


def type_of(topics: dict[str, set[str]], name: str) -> str:
    """Type of a topic, which must be one of the graph's."""
    absolute = "/" + name.lstrip("/")
    types = {t for pattern, kinds in topics.items() if fnmatch(absolute, pattern) for t in kinds}
    assert len(types) == 1, f"{name}: {types or 'no such topic'}"
    return types.pop()


def follow(type_name: str, path: str) -> None:
    """Fail unless a message has the field, e.g. ``planning.p50_ms`` or ``position[0]``."""
    package, name = type_name.split("/")
    message: Any = getattr(importlib.import_module(f"{package}.msg"), name)()
    for part in re.split(r"[./]", path):
        field = part.split("[")[0]
        assert hasattr(message, field), f"{type_name}: {path}"
        message = getattr(message, field)


def displays(tree: Any) -> Iterator[tuple[str, str]]:
    """Class and topic of everything in an RViz configuration that has a topic."""
    if isinstance(tree, dict):
        if "Class" in tree and isinstance(tree.get("Topic"), dict):
            yield tree["Class"], tree["Topic"]["Value"]
        for value in tree.values():
            yield from displays(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from displays(value)


def test_every_robot_has_a_configuration() -> None:
    assert {f.stem.split("_")[0] for f in RVIZ} == {"crazyflie", "so100", "go2"}


@pytest.mark.parametrize("file", RVIZ, ids=lambda f: f.stem)
def test_rviz(file: Path, topics: dict[str, set[str]]) -> None:
    shown = list(displays(yaml.safe_load(file.read_text())))
    assert len(shown) >= 2
    for kind, topic in shown:
        assert type_of(topics, topic) == RVIZ_TYPES[kind], topic


def test_foxglove(topics: dict[str, set[str]]) -> None:
    layout = json.loads((CONFIG / "foxglove" / "driftpilot.json").read_text())
    panels = layout["configById"]

    def placed(tree: Any) -> set[str]:
        if isinstance(tree, str):
            return {tree}
        return placed(tree["first"]) | placed(tree["second"])

    assert placed(layout["layout"]) == set(panels)
    for topic in panels["3D!scene"]["topics"]:
        type_of(topics, topic)
    for name, panel in panels.items():
        if "topicPath" in panel:
            type_of(topics, panel["topicPath"])
        for path in panel.get("paths", []):
            topic, _, field = path["value"].partition(".")
            follow(type_of(topics, topic), field)
        assert name.split("!")[0] in {"3D", "Plot", "RawMessages", "DiagnosticSummary"}


def test_plotjuggler(topics: dict[str, set[str]]) -> None:
    root = ET.parse(CONFIG / "plotjuggler" / "driftpilot.xml").getroot()
    subscribed = {element.attrib["name"] for element in root.iter("topic")}
    for topic in subscribed:
        type_of(topics, topic)
    curves = [element.attrib["name"] for element in root.iter("curve")]
    assert len(curves) >= 10
    for curve in curves:
        topic = next(t for t in subscribed if curve.startswith(t + "/"))
        follow(type_of(topics, topic), curve.removeprefix(topic + "/"))
