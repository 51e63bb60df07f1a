"""Reports of bags, from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ament_index_python.packages import get_package_share_directory
from robot_view.report import main
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore
from synthetic_flight import EXPECTED, flight_messages


def make_typestore() -> Typestore:
    store = get_typestore(Stores.ROS2_JAZZY)
    share = Path(get_package_share_directory("planner_interfaces"))
    types: dict[str, Any] = {}
    for file in (share / "msg").glob("*.msg"):
        types |= get_types_from_msg(file.read_text(), f"planner_interfaces/msg/{file.stem}")
    store.register(types)
    return store


def converted(message: Any, store: Typestore, name: str) -> Any:
    """A message of ROS as one of the bag library."""

    def value(kind: Any, given: Any) -> Any:
        node, detail = kind
        if node.name == "NAME":
            return converted(given, store, detail)
        if node.name == "BASE":
            return given
        element = detail[0]
        if element[0].name == "NAME":
            return [converted(item, store, element[1]) for item in given]
        if element[1][0] == "string":
            return list(given)
        return np.array(list(given), dtype=element[1][0])

    definition = store.fielddefs[name][1]
    fields = {field: value(kind, getattr(message, field)) for field, kind in definition}
    return store.types[name](**fields)


def write_bag(path: Path, prefix: str = "/", topics: set[str] | None = None) -> Path:
    store = make_typestore()
    with Writer(path, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        connections: dict[str, Any] = {}
        for topic, seconds, message in flight_messages():
            if topics is not None and topic not in topics:
                continue
            package = type(message).__module__.split(".")[0]
            name = f"{package}/msg/{type(message).__name__}"
            if topic not in connections:
                connections[topic] = writer.add_connection(prefix + topic, name, typestore=store)
            data = store.serialize_cdr(converted(message, store, name), name)
            writer.write(connections[topic], round(seconds * 1e9), data)
    return path


def printed_figures(text: str) -> dict[str, str]:
    return {line[:16].strip(): line[16:28].strip() for line in text.splitlines()[1:10]}


def test_figures_of_a_bag(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bag, page = write_bag(tmp_path / "bag"), tmp_path / "page.png"
    assert main([str(bag), "--out", str(page)]) == 0
    assert printed_figures(capsys.readouterr().out) == EXPECTED
    assert page.read_bytes().startswith(b"\x89PNG")


def test_bag_of_a_robot_with_a_namespace(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bag = write_bag(tmp_path / "bag", prefix="/cf1/")
    out = ["--out", str(tmp_path / "page.png")]
    assert main([str(bag), *out]) == 1
    assert "[E990]" in capsys.readouterr().err
    assert main([str(bag), *out, "--namespace", "cf1"]) == 0
    assert printed_figures(capsys.readouterr().out) == EXPECTED


def test_bag_with_little_in_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bag = write_bag(tmp_path / "bag", topics={"odometry"})
    assert main([str(bag), "--out", str(tmp_path / "page.png")]) == 0
    assert set(printed_figures(capsys.readouterr().out).values()) == {"-"}


@pytest.mark.parametrize("content", [None, "", "rosbag2_bagfile_information: {}"])
def test_unreadable_bag_is_refused_in_one_line(
    content: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bag = tmp_path / "bag"
    if content is not None:
        bag.mkdir()
        (bag / "metadata.yaml").write_text(content)
    assert main([str(bag), "--out", str(tmp_path / "page.png")]) == 1
    error = capsys.readouterr().err
    assert error.startswith("[E990]")
    assert error.count("\n") == 1


def test_unknown_robot_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bag = write_bag(tmp_path / "bag", topics={"odometry"})
    assert main([str(bag), "--out", str(tmp_path / "page.png"), "--robot", "kite"]) == 1
    assert "kite" in capsys.readouterr().err
