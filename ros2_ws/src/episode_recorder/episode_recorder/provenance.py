"""What a recording was made with: versions, git state, model bundle."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory
from planner_core.bundle import MANIFEST_NAME

import episode_recorder


def versions() -> dict[str, str]:
    """Of everything that shapes a recording."""
    return {
        "driftpilot": episode_recorder.__version__,
        "numpy": version("numpy"),
        "python": platform.python_version(),
        "ros_distro": os.environ.get("ROS_DISTRO", "unknown"),
        "rmw": os.environ.get("RMW_IMPLEMENTATION", "default"),
        "machine": platform.machine(),
    }


@cache
def git_state() -> dict[str, Any]:
    """Commit of the checkout that this runs from, and whether it has changes of its own."""
    folder = Path(__file__).resolve().parent

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(folder), *arguments]
        result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=5.0)
        return result.stdout.strip()

    try:
        changes = git("status", "--porcelain", "--untracked-files=no")
        return {"commit": git("rev-parse", "HEAD"), "changed": bool(changes)}
    except (OSError, subprocess.SubprocessError):
        return {"commit": "not a git checkout", "changed": False}


def bundle_state(parameters: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Manifest hash of the model bundle of each planner server; the manifest names its graphs'.

    Args:
        parameters: Of all nodes, by full name.
    """
    found = {}
    for node, values in parameters.items():
        model, planner = values.get("model"), values.get("planner")
        if not isinstance(model, str) or not isinstance(planner, str) or not model:
            continue
        path = _bundle_folder(model, planner) / MANIFEST_NAME
        found[node] = (
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "not found"
        )
    return found


def custom_data(
    world: str, parameters: Mapping[str, Mapping[str, Any]], unanswered: Sequence[str]
) -> dict[str, str]:
    """Everything as custom data of a bag: text, JSON where it is structured.

    Args:
        world: Name of the world, empty where none is known.
        parameters: Of all nodes, by full name.
        unanswered: Nodes whose parameters are not known.
    """
    seeds = {node: values["seed"] for node, values in parameters.items() if "seed" in values}
    return {
        "world": world,
        "seed": json.dumps(seeds),
        "versions": json.dumps(versions()),
        "git": json.dumps(git_state()),
        "bundles": json.dumps(bundle_state(parameters)),
        "parameters": json.dumps(parameters, sort_keys=True),
        "unanswered": json.dumps(list(unanswered)),
    }


def _bundle_folder(model: str, planner: str) -> Path:
    """As the planner server finds it."""
    path = Path(model)
    if path.is_dir() or "/" in model:
        return path
    try:
        models = Path(get_package_share_directory("planner")) / "models"
    except PackageNotFoundError:
        return path
    own = models / f"{model}_{planner}"
    return own if own.is_dir() else models / model
