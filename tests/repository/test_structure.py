"""The house: dependencies point one way, packages are correct, configuration loads."""

from __future__ import annotations

import ast
import json
import re
import runpy
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
import yaml
from planner_core.parameters import parse, specs
from planner_core.world import load_world

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCE = REPOSITORY / "ros2_ws" / "src"
UNDERLAY = REPOSITORY / "ros2_ws" / "underlay"
PACKAGES = sorted(p.parent for p in SOURCE.glob("*/package.xml"))
PYTHON_PACKAGES = [p for p in PACKAGES if (p / "setup.py").exists()]
LAUNCH_FILES = sorted((REPOSITORY / "launch").glob("*.launch.py"))
INTERFACES = {"planner_interfaces", "unitree_go", "unitree_api"}

# What a package of ours may import of ours.
ALLOWED = {
    "planner_core": set(),
    "planner_ros": {"planner_core"},
    "plan_execution": {"planner_core", "planner_ros"},
    "state_estimation": {"planner_core", "planner_ros"},
    "robot_bridge": {"planner_core", "planner_ros"},
    "crazyflie_bridge": {"planner_core", "planner_ros", "robot_bridge"},
    "go2_bridge": {"planner_core", "planner_ros", "robot_bridge"},
    "so100_bridge": {"planner_core", "planner_ros", "robot_bridge"},
    "robot_simulation": {"planner_core", "planner_ros"},
    "episode_recorder": {"planner_core", "planner_ros"},
    "robot_view": {"planner_core", "planner_ros"},
    "planner": {"planner_core", "planner_ros"},
    # Training happens in the simulated bodies that the bridges are tested with.
    "trajectory_learning": {"planner_core", "robot_simulation"},
}
# What a package must never import, whoever provides it, anywhere in its modules.
FORBIDDEN = {
    "planner_core": {"rclpy", "torch"},
    "plan_execution": {"torch", "onnxruntime"},
    "go2_bridge": {"torch", "cyclonedds"},
    "trajectory_learning": {"rclpy"},
    "robot_simulation": {"cflib", "lerobot"},
    "planner": {"torch"},
}


def imports(package: Path) -> dict[str, set[str]]:
    """Top-level modules that each file of a package imports."""
    found: dict[str, set[str]] = {}
    for file in (package / package.name).rglob("*.py"):
        names = set()
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                names.add(node.module.split(".")[0])
        found[str(file.relative_to(SOURCE))] = names
    return found


@pytest.mark.parametrize("package", PYTHON_PACKAGES, ids=lambda p: p.name)
def test_imports_point_one_way(package: Path) -> None:
    ours = {p.name for p in PYTHON_PACKAGES} - {package.name}
    allowed = ALLOWED[package.name]
    for file, names in imports(package).items():
        assert names & ours <= allowed, file
        assert not names & FORBIDDEN.get(package.name, set()), file


@pytest.mark.parametrize("package", PYTHON_PACKAGES, ids=lambda p: p.name)
def test_package_xml_names_what_is_imported(package: Path) -> None:
    tree = ET.parse(package / "package.xml").getroot()
    assert tree.findtext("name") == package.name
    assert tree.findtext("license") in ("Apache-2.0", "BSD-3-Clause")
    assert tree.find("maintainer") is not None
    depends = {e.text for e in tree.iter() if e.tag in ("depend", "exec_depend")}
    ros = INTERFACES | {p.name for p in PYTHON_PACKAGES} | {"rclpy", "ament_index_python"}
    ros |= {
        f"{n}_msgs" for n in ["std", "sensor", "nav", "geometry", "visualization", "diagnostic"]
    }
    ros |= {"tf2_msgs", "std_srvs", "builtin_interfaces", "lifecycle_msgs", "rcl_interfaces"}
    used = set().union(*imports(package).values()) & ros - {package.name}
    assert used <= depends, f"missing in {package.name}/package.xml: {sorted(used - depends)}"


@pytest.mark.parametrize("package", PACKAGES, ids=lambda p: p.name)
def test_every_package_has_tests_or_is_generated(package: Path) -> None:
    if package.name not in INTERFACES:
        assert list((package / "test").glob("test_*.py")) or package.name in {
            "planner", "plan_execution",
        }  # fmt: skip


def test_a_plain_colcon_build_does_not_see_the_underlay() -> None:
    command = ["colcon", "list", "--names-only", "--base-paths", str(REPOSITORY / "ros2_ws")]
    names = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert set(names) == {p.name for p in PACKAGES}


def test_the_stand_ins_are_marked() -> None:
    packages = list(UNDERLAY.glob("*/package.xml"))
    assert len(packages) == 5
    for file in packages:
        assert ET.parse(file).getroot().find("export/driftpilot_stand_in") is not None, file


# Parameter dataclass of each executable, as the reference page finds them.
REFERENCE = runpy.run_path(str(REPOSITORY / "tools" / "write_reference.py"))
CLASSES = {name: cls for name, (_, cls) in REFERENCE["parameter_classes"]().items()}


def test_every_node_declares_its_parameters_by_a_dataclass() -> None:
    assert {"planner_server", "plan_execution", "navigator", "loopback_robot"} <= set(CLASSES)


@pytest.mark.parametrize("executable", sorted(CLASSES))
def test_every_parameter_says_what_it_does(executable: str) -> None:
    for spec in specs(CLASSES[executable]).values():
        assert spec.effect.endswith("."), spec.name
        assert spec.expectation


CONFIGURATIONS = [
    file
    for file in sorted((REPOSITORY / "config").rglob("*.yaml"))
    if file.parent.name not in ("worlds", "rviz")
]


@pytest.mark.parametrize("file", CONFIGURATIONS, ids=str)
def test_every_node_configuration_loads(file: Path) -> None:
    data: dict[str, Any] = yaml.safe_load(file.read_text())
    assert list(data) == [f"/**/{file.stem}"]
    parse(CLASSES[file.stem], data[f"/**/{file.stem}"]["ros__parameters"])


@pytest.mark.parametrize(
    "file", sorted((REPOSITORY / "config" / "worlds").glob("*.yaml")), ids=lambda p: p.stem
)
def test_every_world_loads(file: Path) -> None:
    assert load_world(file).name == file.stem


@pytest.mark.parametrize("file", LAUNCH_FILES, ids=lambda p: p.name)
def test_every_launch_file_shows_its_arguments(file: Path) -> None:
    command = ["ros2", "launch", "planner", file.name, "--show-args"]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith("Arguments (pass arguments as '<name>:=<value>'):")
    assert "'robot':" in shown.stdout


def test_colcon_meta_names_packages_that_exist() -> None:
    names = json.loads((REPOSITORY / "colcon.meta").read_text())["names"]
    assert set(names) <= {p.name for p in PACKAGES}


def test_requirements_are_pinned_and_name_no_index() -> None:
    files = list((REPOSITORY / "requirements").glob("*.txt"))
    assert {"run", "test", "training", "so100", "gpu", "jazzy", "kilted"} <= {f.stem for f in files}
    for file in files:
        for line in file.read_text().splitlines():
            requirement = line.split("#")[0].strip()
            if requirement:
                assert re.fullmatch(r"[\w.\-]+(\[[\w,]+\])?==[\w.+]+", requirement), (file, line)
    assert "torch==" not in (REPOSITORY / "requirements" / "run.txt").read_text()


def test_the_runtime_environment_imports_without_torch() -> None:
    code = "import sys, planner.server, plan_execution.node; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
