#!/usr/bin/env python3
"""Write the reference pages that are made from the code: parameters, topics, messages, errors.

Run in a sourced workspace: ``make docs``. A test compares the pages with what this writes.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
from importlib.metadata import entry_points
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from graph_names import connections, quality_of_service
from planner_core.errors import error_codes
from planner_core.navigation_task import Outcome
from planner_core.parameters import reference

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "ros2_ws" / "src"
FOLDER = ROOT / "docs" / "reference"


def parameter_classes() -> dict[str, tuple[str, type]]:
    """Package and parameter dataclass of each executable of this workspace."""
    packages = {p.parent.name for p in SOURCE.glob("*/setup.py")}
    classes: dict[str, tuple[str, type]] = {}
    for entry in entry_points(group="console_scripts"):
        package = entry.module.split(".")[0]
        if package not in packages:
            continue
        for name, value in vars(importlib.import_module(entry.module)).items():
            # Those that the module imports from another package are bases, not its own.
            own = inspect.isclass(value) and value.__module__.split(".")[0] == package
            if own and name.endswith("Parameters"):
                classes[entry.name] = package, value
    return dict(sorted(classes.items()))


def parameters_page() -> str:
    """Every parameter of every node."""
    parts = [
        "# Parameters\n\nWritten by `make docs` from the code. Set them in `config/<node>.yaml`, "
        "by launch argument, or while a node runs with `ros2 param set`.\n"
    ]
    for executable, (package, cls) in parameter_classes().items():
        parts.append(f"## {executable}\n\nPackage `{package}`.\n\n{reference(cls)}")
    return "\n".join(parts)


def topics_page() -> str:
    """Every topic, service and action of the graph, and who is at its ends."""
    found = connections(SOURCE)
    parts = [
        "# Topics, services, actions\n\nWritten by `make docs` from the code. Names without a "
        "slash are relative: a namespace moves all of them. The view, the flight report and the "
        "episode recorder hear what they are told to, and are not listed.\n",
        "## Quality of service\n",
        "| name | for |\n|---|---|",
        *(f"| {name} | {purpose} |" for name, purpose in quality_of_service().items()),
        "",
    ]
    for title, kinds in (
        ("Topics", ("publisher", "subscription")),
        ("Services", ("service", "client")),
        ("Actions", ("action server", "action client")),
    ):
        quality = title == "Topics"
        ends = ("published by", "heard by") if quality else ("served by", "asked by")
        heads = ["name", "type", *(["quality of service"] if quality else []), *ends]
        parts.append(f"## {title}\n\n| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
        rows: dict[tuple[str, str], list[set[str]]] = {}
        for connection in found:
            if connection.kind in kinds:
                row = rows.setdefault((connection.name, connection.type), [set(), set(), set()])
                row[kinds.index(connection.kind)].add(connection.node)
                if connection.kind == "publisher":
                    row[2].add(connection.quality)
        for (name, kind), (first, second, qualities) in sorted(rows.items()):
            cells = [f"`{name}`", f"`{kind}`"]
            cells += [", ".join(sorted(qualities))] if quality else []
            cells += [", ".join(sorted(first)), ", ".join(sorted(second))]
            parts.append(f"| {' | '.join(cells)} |")
        parts.append("")
    return "\n".join(parts)


def interfaces_page() -> str:
    """The project's own messages, services and actions, as they are written."""
    parts = [
        "# Messages, services, actions\n\nWritten by `make docs` from `planner_interfaces`. "
        "Wherever a standard message suffices, that one is used instead.\n"
    ]
    for kind in ("msg", "srv", "action"):
        for file in sorted((SOURCE / "planner_interfaces" / kind).glob(f"*.{kind}")):
            parts.append(f"## {kind}/{file.stem}\n\n```text\n{file.read_text().strip()}\n```\n")
    return "\n".join(parts)


def errors_page() -> str:
    """Every error code."""
    for package in sorted(p.parent.name for p in SOURCE.glob("*/setup.py")):
        root = importlib.import_module(package)
        for module in pkgutil.walk_packages(root.__path__, f"{package}."):
            if module.name.rpartition(".")[2] == "errors":
                importlib.import_module(module.name)
    lines = [
        "# Error codes\n\nWritten by `make docs` from the code. A code is never reused.\n",
        "| code | error | meaning |",
        "|---|---|---|",
    ]
    for code, cls in error_codes().items():
        meaning = (inspect.getdoc(cls) or "").splitlines()[0]
        lines.append(f"| {code} | `{cls.__name__}` | {meaning} |")
    lines += [
        "",
        "The navigation action ends with 0, with a goal's code (2xx), or with one of:",
        "",
    ]
    lines += ["| code | outcome |", "|---|---|"]
    for outcome in Outcome:
        if outcome is not Outcome.SUCCESS:
            lines.append(f"| {outcome.value} | {outcome.name.lower().replace('_', ' ')} |")
    return "\n".join(lines) + "\n"


PAGES = {
    "parameters.md": parameters_page,
    "topics.md": topics_page,
    "interfaces.md": interfaces_page,
    "errors.md": errors_page,
}


def main() -> int:
    """Write all pages."""
    FOLDER.mkdir(exist_ok=True)
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page())
        print((FOLDER / name).relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
