"""The set-up: what it asks for, what it finds, what it skips."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def setup() -> ModuleType:
    file = REPOSITORY / "tools" / "setup_workspace.py"
    spec = importlib.util.spec_from_file_location("setup_workspace", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["setup_workspace"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_missing_tools_are_named_with_the_command(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setup.shutil, "which", lambda tool: None if tool == "cmake" else "/bin/x")
    with pytest.raises(setup.SetupError, match="sudo apt-get install -y cmake"):
        setup.require_system_tools()


def test_a_genuine_ros_is_found_but_our_stand_in_is_not(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # What is sourced here is the stand-in of this workspace.
    assert setup.find_genuine_ros() is None
    share = tmp_path / "share" / "launch_ros"
    share.mkdir(parents=True)
    (share / "package.xml").write_text("<package/>")
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv("ROS_DISTRO", "rolling")
    assert setup.find_genuine_ros() == "rolling"


def test_a_genuine_ros_is_kept_by_the_shell(tmp_path: Path) -> None:
    share = tmp_path / "share" / "launch_ros"
    share.mkdir(parents=True)
    (share / "package.xml").touch()
    environment = {
        "PATH": os.environ["PATH"], "AMENT_PREFIX_PATH": str(tmp_path), "ROS_DISTRO": "rolling",
    }  # fmt: skip
    script = f"source {REPOSITORY}/ros2_ws/setup.bash; echo $ROS_DISTRO $AMENT_PREFIX_PATH"
    done = subprocess.run(
        ["bash", "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split()[0] == "rolling"
    assert str(tmp_path) in done.stdout


def test_a_shell_of_what_is_not_set_up_says_how() -> None:
    script = f"export ROS=foxy; source {REPOSITORY}/ros2_ws/setup.bash"
    environment = {"PATH": os.environ["PATH"]}
    done = subprocess.run(
        ["bash", "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "make setup ROS=foxy" in done.stderr


def test_a_script_with_arguments_can_source_the_shell() -> None:
    script = f"source {REPOSITORY}/ros2_ws/setup.bash && echo $ROS_DISTRO $1"
    environment = {"PATH": os.environ["PATH"], "ROS": os.environ["ROS_DISTRO"]}
    done = subprocess.run(
        ["bash", "-c", script, "name", "seed:=3"], env=environment, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert done.stdout.split() == [os.environ["ROS_DISTRO"], "seed:=3"]


def test_steps_stand_until_their_inputs_change(setup: ModuleType, tmp_path: Path) -> None:
    stamps = setup.Stamps(tmp_path / "stamps.json")
    source = tmp_path / "CMakeLists.txt"
    source.write_text("a")
    value = setup.fingerprint([source])
    assert not stamps.stands("build", value)
    stamps.finished("build", value)
    assert setup.Stamps(tmp_path / "stamps.json").stands("build", value)
    source.write_text("b")
    assert not stamps.stands("build", setup.fingerprint([source]))


def test_linked_sources_are_not_built_again(setup: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text("a")
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "test_module.py").touch()
    before = setup.package_fingerprint(tmp_path)
    (tmp_path / "module.py").write_text("b")
    (tmp_path / "test" / "another.py").touch()
    assert setup.package_fingerprint(tmp_path) == before
    (tmp_path / "more.py").touch()
    assert setup.package_fingerprint(tmp_path) != before


def test_build_time_folders_of_the_wheels_are_replaced(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cmake = tmp_path / "share" / "package" / "cmake"
    cmake.mkdir(parents=True)
    file = cmake / "export.cmake"
    file.write_text(
        'A "/opt/python/cp311-cp311/include/python3.11;'
        '/opt/python/cp311-cp311/lib/python3.11/site-packages/numpy/_core/include"\n'
    )
    cached = tmp_path / "cached.cmake"
    os.link(file, cached)
    (tmp_path / "bin").mkdir()
    # An environment of its own by its configuration, with the packages of this one.
    (tmp_path / "bin" / "python").symlink_to(sys.executable)
    (tmp_path / "lib").symlink_to(Path(sys.prefix) / "lib")
    shutil.copy(Path(sys.prefix) / "pyvenv.cfg", tmp_path)
    setup.patch_cmake_files(tmp_path)
    text = file.read_text()
    assert "/opt/python" not in text
    folders = text.split('"')[1].split(";")
    assert all(Path(folder).is_dir() for folder in folders)
    # A package cache shares files by hard links: the old one stays as it was.
    assert "/opt/python" in cached.read_text()


def test_an_error_of_a_step_shows_its_output(setup: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(setup.SetupError, match=r"the reason[\s\S]*failed with code 3"):
        setup.run(["sh", "-c", "echo the reason; exit 3"], dict(os.environ), tmp_path / "log")
