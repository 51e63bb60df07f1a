"""The names of the graph, read from the nodes' sources: topics, services, actions.

A node says what it publishes, hears, serves and asks in calls like ``create_publisher``; their
arguments are read without running anything, because most nodes need a robot to run.
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

CALLS = {
    "create_publisher": "publisher",
    "create_subscription": "subscription",
    "create_service": "service",
    "create_client": "client",
    "ActionServer": "action server",
    "ActionClient": "action client",
}
# Parts of nodes, by the nodes that have them.
SHARED = {
    "robot_bridge.bridge": "every bridge",
    "planner_ros.world": "world_server, crazyflie_simulation",
    "robot_simulation.node": "crazyflie_simulation, go2_simulation, so100_simulation",
}
# What hears topics by a list of its own, and what only measures and tests.
LEFT_OUT = (
    "robot_view.", "episode_recorder.parameter_collection", "planner.benchmark.",
    "robot_bridge.bridge_operator", "robot_bridge.robot_operator",
)  # fmt: skip


@dataclass(frozen=True, order=True)
class Connection:
    """One end of a topic, service or action.

    Attributes:
        name: Topic, service or action; parts that vary in angle brackets.
        type: As ``package/Type``.
        kind: One of the values of `CALLS`.
        node: Executable that has it.
        quality: Name of its quality of service, empty for services and actions.
    """

    name: str
    type: str
    kind: str
    node: str
    quality: str


def quality_of_service() -> dict[str, str]:
    """Purpose of each quality of service, by its name."""
    module = importlib.import_module("planner_ros.qos")
    tree = ast.parse(Path(str(module.__file__)).read_text())
    purposes = {}
    for assigned, text in zip(tree.body, tree.body[1:], strict=False):
        if isinstance(assigned, ast.Assign) and isinstance(text, ast.Expr):
            target = assigned.targets[0]
            assert isinstance(target, ast.Name)
            assert isinstance(text.value, ast.Constant)
            purposes[target.id] = " ".join(str(text.value.value).split())
    return purposes


def connections(source: Path) -> list[Connection]:
    """All ends of all topics, services and actions of the packages in a folder.

    Raises:
        ValueError: A name that is neither written out nor one of the left-out modules'.
    """
    nodes: dict[str, str] = dict(SHARED)
    for entry in entry_points(group="console_scripts"):
        nodes.setdefault(entry.module, entry.name)
    found: set[Connection] = set()
    for file in sorted(source.glob("*/*/**/*.py")):
        module = ".".join(file.relative_to(source).with_suffix("").parts[1:])
        if "test" in file.parts or module.startswith(LEFT_OUT):
            continue
        found.update(_module_connections(file, module, nodes.get(module, module)))
    return sorted(found)


def _module_connections(file: Path, module: str, node: str) -> Iterator[Connection]:
    tree = ast.parse(file.read_text())
    if not any(name in file.read_text() for name in CALLS):
        return
    names = vars(importlib.import_module(module))
    loops = [n for n in ast.walk(tree) if isinstance(n, ast.For | ast.comprehension)]
    aliases = {
        target.id: statement.value.attr
        for statement in ast.walk(tree)
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Attribute)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        function = call.func
        called = function.attr if isinstance(function, ast.Attribute) else ""
        if isinstance(function, ast.Name):
            called = aliases.get(function.id, function.id)
        if called not in CALLS:
            continue
        first = 1 if called.startswith("Action") else 0
        kind, name = call.args[first : first + 2]
        if not isinstance(kind, ast.Name):
            continue  # a list of topics, which only a recorder has
        interface = names[kind.id]
        quality = ""
        if called in ("create_publisher", "create_subscription"):
            last = call.args[2 if called == "create_publisher" else 3]
            quality = last.id if isinstance(last, ast.Name) else ""
        for topic in _values(name, names, loops, file):
            package = interface.__module__.split(".")[0]
            yield Connection(topic, f"{package}/{interface.__name__}", CALLS[called], node, quality)


def _values(
    name: ast.expr, names: dict[str, Any], loops: list[ast.For | ast.comprehension], file: Path
) -> list[str]:
    """The strings that an expression stands for."""
    if isinstance(name, ast.Constant):
        return [str(name.value)]
    if isinstance(name, ast.Name) and isinstance(names.get(name.id), str):
        return [names[name.id]]
    if isinstance(name, ast.Name):
        for loop in loops:
            targets = loop.target.elts if isinstance(loop.target, ast.Tuple) else [loop.target]
            position = [t.id if isinstance(t, ast.Name) else "" for t in targets]
            if name.id not in position or not isinstance(loop.iter, ast.Tuple):
                continue
            rows = [e.elts if isinstance(e, ast.Tuple) else [e] for e in loop.iter.elts]
            cells = [row[position.index(name.id)] for row in rows]
            return [str(cell.value) for cell in cells if isinstance(cell, ast.Constant)]
    if isinstance(name, ast.JoinedStr):
        parts: list[list[str]] = []
        for part in name.values:
            if isinstance(part, ast.Constant):
                parts.append([str(part.value)])
            elif isinstance(part, ast.FormattedValue) and isinstance(part.value, ast.Name):
                try:
                    parts.append(_values(part.value, names, loops, file))
                except ValueError:
                    parts.append([f"<{part.value.id}>"])
        texts = [""]
        for options in parts:
            texts = [text + option for text in texts for option in options]
        return texts
    raise ValueError(f"{file}:{name.lineno}: the name is not written out")
