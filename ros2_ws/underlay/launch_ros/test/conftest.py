"""Shared fixtures: a package with an executable, a launch in this process."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import launch.logging
import pytest
from launch import LaunchDescription, LaunchService

PACKAGE = "fixture_package"
EXECUTABLE = "print_arguments"


@pytest.fixture(autouse=True)
def prefix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Install a package whose executable prints its arguments and parameter files."""
    prefix = tmp_path / "prefix"
    marker = prefix / "share" / "ament_index" / "resource_index" / "packages" / PACKAGE
    executable = prefix / "lib" / PACKAGE / EXECUTABLE
    for folder in (marker.parent, executable.parent, prefix / "share" / PACKAGE):
        folder.mkdir(parents=True, exist_ok=True)
    marker.touch()
    executable.write_text(
        f"#!{sys.executable}\n"
        "import json, sys\n"
        'files = [a for flag, a in zip(sys.argv, sys.argv[1:]) if flag == "--params-file"]\n'
        'print(json.dumps({"arguments": sys.argv[1:],'
        ' "files": {f: open(f).read() for f in files}}))\n'
    )
    executable.chmod(0o755)
    path = os.pathsep.join([str(prefix), os.environ.get("AMENT_PREFIX_PATH", "")])
    monkeypatch.setenv("AMENT_PREFIX_PATH", path.strip(os.pathsep))
    monkeypatch.setenv("ROS_LOG_DIR", str(tmp_path / "log"))
    launch.logging.reset()
    yield prefix
    launch.logging.reset()


@pytest.fixture
def run() -> Callable[..., int]:
    """Run entities in a launch of their own; return its return code."""

    def run_entities(*entities: object) -> int:
        service = LaunchService()
        service.include_launch_description(LaunchDescription(entities))
        return service.run()

    return run_entities
